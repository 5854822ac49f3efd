"""The configuration: its example equals its defaults, its paths count from its folder, its mistakes are named."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from guardian.config import Config, example_text, load_config, require_contact
from guardian.errors import ConfigError
from guardian.sources.requests import find_source

ROOT = Path(__file__).resolve().parent.parent


def load(tmp_path: Path, text: str) -> Config:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "config.yaml")


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value).removeprefix(f"{tmp_path / 'config.yaml'}:")


def test_the_committed_example_is_what_the_code_writes() -> None:
    command = [sys.executable, "-m", "guardian.config"]
    written = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert (ROOT / "config.example.yaml").read_text(encoding="utf-8") == written, (
        "python -m guardian.config > config.example.yaml"
    )


def test_the_example_is_the_defaults(tmp_path: Path) -> None:
    loaded, empty = load(tmp_path, example_text()), load(tmp_path, "")
    assert loaded.model_dump() == empty.model_dump()
    assert loaded.data_dir == tmp_path / "data"
    assert loaded.model_dump(exclude={"data_dir", "rules_dir", "labels"}) == Config().model_dump(
        exclude={"data_dir", "rules_dir", "labels"}
    )


def test_every_key_has_its_line_of_why_and_sections_are_mappings() -> None:
    lines = example_text().splitlines()
    keys = [number for number, line in enumerate(lines) if line and not line.lstrip().startswith("#")]
    assert len(keys) > 40
    for number in keys:
        why = lines[number - 1].strip()
        assert why.startswith("# "), lines[number]
        assert len(why) > 10, lines[number]
        # The file of labels is no section.
        may_be_null = lines[number].startswith("  ") or lines[number] == "labels: null"
        assert ": null" not in lines[number] or may_be_null, "a section must not be null"


def test_commented_examples_are_right_once_uncommented(tmp_path: Path) -> None:
    lines = [line.removeprefix("#") if line.startswith("#  - {") else line for line in example_text().splitlines()]
    text = "\n".join(lines)
    for section in ("sources", "destinations", "platforms"):
        text = text.replace(f"{section}: []", f"{section}:")
    config = load(tmp_path, text)
    assert [platform.host for platform in config.platforms] == ["art.example", "shops.example"]
    assert [source.kind for source in config.sources] == ["page", "site", "sitemap", "feed", "listing", "folder"]
    assert config.sources[0].every == timedelta(minutes=15)
    assert config.destinations[0].secret_env == ("GUARDIAN_SECRET",)


def test_relative_paths_count_from_the_configurations_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "clip").mkdir()
    (tmp_path / "config.yaml").write_text(
        "data_dir: store\nrules_dir: /etc/guardian/rules\n"
        "sources:\n- {name: drop, kind: folder, path: incoming}\n- {name: list, kind: listing, path: ~/list.txt}\n"
        "destinations: [{name: legal, kind: webhook, url: 'https://legal.example/', secret_file: keys/legal}]\n"
        "delivery: {ca_file: ca.pem}\nembedding: {model: ViT-B-32, weights: clip}\n"
    )
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = load_config(Path("../config.yaml"))
    assert config.data_dir.resolve() == tmp_path / "store"
    assert config.data_dir.is_absolute()
    assert config.rules_dir == Path("/etc/guardian/rules")
    paths = [getattr(source, "path", None) for source in config.sources]
    assert [path and path.resolve() for path in paths] == [tmp_path / "incoming", tmp_path / "home" / "list.txt"]
    (legal,) = config.destinations
    assert legal.secret_file is not None
    assert legal.secret_file.resolve() == tmp_path / "keys" / "legal"
    assert config.delivery.ca_file is not None
    assert config.delivery.ca_file.resolve() == tmp_path / "ca.pem"
    assert Path(config.embedding.weights or "").resolve() == tmp_path / "clip"


@pytest.mark.parametrize(
    ("weights", "is_path"),
    [("laion2b_s34b_b79k", False), ("openai", False), ("clip.safetensors", True), ("models/clip", True)],
)
def test_weights_are_a_tag_or_a_path_beside_the_file(tmp_path: Path, weights: str, is_path: bool) -> None:
    config = load(tmp_path, f"embedding: {{model: ViT-B-32, weights: {weights}}}\n")
    assert config.embedding.weights == (str(tmp_path / weights) if is_path else weights)


def test_repeated_names_are_refused(tmp_path: Path) -> None:
    page = "{name: shop, kind: page, url: 'https://shop.example/'}"
    assert refused(tmp_path, f"sources:\n- {page}\n- {page}\n").startswith("3:4: two sources are named 'shop'")
    hook = "{name: legal, kind: webhook, url: 'https://legal.example/', secret_env: S}"
    assert "two destinations are named 'legal'" in refused(tmp_path, f"destinations:\n- {hook}\n- {hook}\n")
    # Composed and decomposed: they look the same.
    cafes = [page.replace("shop,", f"{name},") for name in ("caf\u00e9", "cafe\u0301")]
    assert "two sources are named" in refused(tmp_path, f"sources:\n- {cafes[0]}\n- {cafes[1]}\n")
    assert find_source(load(tmp_path, f"sources:\n- {cafes[0]}\n").sources, "cafe\u0301") is not None
    both = load(tmp_path, f"sources:\n- {page.replace('shop,', 'legal,')}\ndestinations:\n- {hook}\n")
    assert both.sources[0].name == both.destinations[0].name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "fetch: {delay_per_hots: 1s}\n",
            "1:9: there is no key 'fetch.delay_per_hots'; did you mean 'delay_per_host'?",
        ),
        ("fetch: {delay_per_host: 1}\n", "1:9: fetch.delay_per_host: 1 has no unit"),
        ("fetch: {allow_networks: [10.0.0.1]}\n", "is not a network; write ADDRESS/BITS"),
        ("fetch: {contact: me}\n", "1:9: fetch.contact: 'me' is neither an e-mail address nor"),
        ("matching: {profile: slow}\n", "1:12: matching.profile: Input should be 'full' or 'fast'"),
        ("matching: {max_bytes: 20mb}\n", "1:12: matching.max_bytes: '20mb' is not a size"),
        ("matching:\n", "1:1: matching is empty"),
        ("web: {listen: 8765}\n", "1:7: web.listen: this must be text; quote it"),
        ("web: {listen: '127.0.0.1'}\n", "is not ADDRESS:PORT"),
        ("own_hosts: [https://mine.example/shop]\n", "(its subdomains are meant anyway); write mine.example"),
        ("own_hosts: [10.0.0.0/8]\n", "'10.0.0.0/8' is a range of IP addresses, which is not understood here"),
        ("own_hosts: ['2001:db8::/32']\n", "is a range of IP addresses"),
        ("own_hosts: ['10.0']\n", "is not an IP address alone; write 10.0.0.0 if that one is meant"),
        ("own_hosts: ['10.0.0.1:80']\n", "write 10.0.0.1 if"),
        ("own_hosts: mine.example\n", "1:1: own_hosts: this must be a list, such as [a, b]"),
        ("destinations: [{name: a b, url: 'https://a.example/', secret_env: S}]\n", "'a b' is not of the form ^[A-Za"),
        ("own_hosts: ['*.mine.example']\n", "write mine.example"),
        ("sources: [{name: a, kind: crawl, url: 'https://a.example/'}]\n", "'crawl' is no 'kind'; it is one of 'page'"),
        ("sources: [{name: a, kind: page, url: a.example}]\n", "is not a web address; write it whole"),
        ("sources: [{name: a, kind: page, url: 'https://a.example/', evry: 5m}]\n", "did you mean 'every'?"),
        ("sources: [{name: a, kind: page}]\n", "sources.0.url is missing"),
        ("destinations: [{name: a, url: 'https://a.example/', secret_env: whsec_abc}]\n", "never the secret itself"),
        ("destination: []\n", "1:1: there is no key 'destination'; did you mean 'destinations'?"),
    ],
)
def test_mistakes_are_named_with_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_own_hosts_are_kept_in_one_spelling(tmp_path: Path) -> None:
    config = load(tmp_path, "own_hosts: [Shop.Example, straße.example, '::1']\n")
    assert config.own_hosts == ("shop.example", "xn--strae-oqa.example", "::1")


def test_a_contact_is_required_before_the_first_visit_only(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    anonymous = load(tmp_path, "")
    with pytest.raises(ConfigError, match=r"config\.yaml: fetch\.contact is not set") as caught:
        require_contact(anonymous, file)
    assert caught.value.file == file
    require_contact(load(tmp_path, "fetch: {contact: me@mine.example}\n"), file)


def test_files_of_credentials_lie_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "sources:\n"
        "  - name: members\n"
        "    kind: page\n"
        "    url: https://shop.example/members\n"
        "    credentials: {origin: 'https://shop.example', user: me, secret_file: word}\n"
        "fetch: {hours: 22:00-06:00, max_bandwidth: 2MB}\n"
    )
    config = load_config(path)
    (source,) = config.sources
    assert source.credentials is not None
    assert source.credentials.secret_file == tmp_path / "word"
    assert (str(config.fetch.hours), config.fetch.max_bandwidth) == ("22:00-06:00", 2_000_000)


@pytest.mark.parametrize("hours", ["22:00", "12:30", "22", "'22:00'", "[22, 6]"])
def test_hours_that_are_none_are_refused_with_their_place(tmp_path: Path, hours: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"fetch: {{hours: {hours}}}\n")
    with pytest.raises(ConfigError, match=r"config\.yaml:1"):
        load_config(path)


def test_cron_lines_are_in_the_time_zone_of_the_schedule_or_in_their_own(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "schedule: {timezone: Europe/Berlin}\n"
        "sources:\n"
        "  - {name: one, kind: folder, path: in, cron: '0 3 * * 1-5'}\n"
        "  - {name: two, kind: folder, path: in, cron: '0 3 * * *', timezone: Asia/Tokyo}\n"
        "  - {name: three, kind: folder, path: in, every: 1h}\n",
    )
    assert [source.timezone for source in config.sources] == ["Europe/Berlin", "Asia/Tokyo", None]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "sources:\n  - {name: one, kind: folder, path: in, cron: '0 3 31 2 *'}\n",
            "2:41: sources.0.cron: '0 3 31 2 *' never fires: no such month has such a day",
        ),
        (
            "schedule:\n  timezone: Berlin\n",
            "2:3: schedule.timezone: there is no time zone 'Berlin'; write one such as Europe/Berlin or UTC",
        ),
    ],
)
def test_a_wrong_rhythm_is_named_with_file_and_line(tmp_path: Path, text: str, error: str) -> None:
    assert refused(tmp_path, text) == error
