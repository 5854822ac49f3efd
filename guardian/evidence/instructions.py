"""The text inside a bundle that says how to check it without guardian."""

import textwrap
from collections.abc import Iterator, Sequence

from guardian.evidence.manifest import AUTHORITIES, MANIFEST, PUBLIC_KEY, SIGNATURE, SUMS, TIMESTAMP
from guardian.model import LostMember

_HEAD = f"""\
HOW TO CHECK THIS BUNDLE OF EVIDENCE WITHOUT GUARDIAN
=====================================================

You need no software of ours: sha256sum (GNU coreutils; on macOS "shasum -a 256") and openssl 3.0 or newer. Unpack the
zip file into an empty folder, open a terminal in that folder, and run the commands below, one after the other. Lines
that begin with "$ " are commands: leave the "$ " out.

1. No file was changed
----------------------
{SUMS} lists the SHA-256 of each file. Each line of the answer must end with "OK".

$ sha256sum -c {SUMS}

2. The list itself was not changed
----------------------------------
{MANIFEST} names {SUMS} with its SHA-256. The command prints name and digest when they are there, and nothing when they
are not. It looks for both together: files that came from a web site have digests in the manifest, too.

$ grep -o '"name":"{SUMS}","sha256":"'$(sha256sum {SUMS} | cut -c1-64) {MANIFEST}

3. The manifest was signed by the installation that made the bundle
-------------------------------------------------------------------
The answer must be "Signature Verified Successfully".

$ openssl pkeyutl -verify -pubin -inkey {PUBLIC_KEY} -rawin -in {MANIFEST} -sigfile {SIGNATURE}

This prints the fingerprint of the key, which the maker of the bundle can tell you by another way (its command
`guardian evidence key` shows it). The manifest names the same fingerprint as "key".

$ openssl pkey -pubin -in {PUBLIC_KEY} -outform DER | sha256sum

4. No file was added
--------------------
This prints the files that {SUMS} does not name. There must be no others than {SUMS} itself, {MANIFEST}, {SIGNATURE},
{PUBLIC_KEY} and, in a bundle with a time stamp, {TIMESTAMP} and {AUTHORITIES}: anything else is no part of the bundle.

$ (cut -c67- {SUMS}; find . ! -type d | cut -c3-) | sort | uniq -u

"""

_STAMPED = f"""\
5. The manifest existed at the time that an independent authority states
------------------------------------------------------------------------
The answer must be "Verification: OK".

$ openssl ts -verify -data {MANIFEST} -in {TIMESTAMP} -CAfile {AUTHORITIES}

This prints the time and the authority.

$ openssl ts -reply -in {TIMESTAMP} -text

{AUTHORITIES} holds the certificates of the authority up to its root. They came with this bundle, so compare the root's
fingerprint with the one that the authority publishes. It is the last certificate in the file; this prints all of them:

$ openssl storeutl -noout -text -certs {AUTHORITIES}

When a certificate of the authority has expired since then, "-verify" says so. Add  -attime SECONDS  to it, with the
stamped time in seconds since 1970, to have the certificates judged as of that time.
"""

_NOT_STAMPED = """\
5. This bundle carries no time stamp of an independent authority
----------------------------------------------------------------
No authority was configured where it was made, or it was made without one on purpose. The times in it are those of the
clock of the machine that made it.
"""

_TAIL = """
What these checks show, and what they do not
--------------------------------------------
They show that the files are those that were signed (and, with a time stamp, that they existed at that time). They do
not show who holds the signing key, nor that a web site showed what the captures hold: for that, see the chapter
"Method" of report.pdf and the exact responses in the captures (*.wacz, which any WACZ viewer replays).

With guardian, one command does all of the above, without network, database or configuration:

  `guardian evidence verify FILE.zip`
"""


_LOST = f"""
This bundle is INCOMPLETE
-------------------------
Files of the case were lost or damaged where they were kept, before this bundle was made. The checks above cannot show
that: they speak of the files that are here. {MANIFEST} names the others under "missing":

"""

_LEFT_OUT = f"""
This bundle is SHORTENED
------------------------
It was made for people outside. {MANIFEST} names under "left_out" what it does not hold:

"""


def instructions(*, is_stamped: bool, lost: Sequence[LostMember], left_out: Sequence[str]) -> bytes:
    """Return VERIFY.txt for a bundle with or without a time stamp. Its commands are on lines that begin with "$ ".

    `lost` and `left_out`: what the bundle lacks, as its manifest says.
    """
    lacking = ""
    if lost:
        lacking += _LOST + "\n".join(_lost_lines(lost)) + "\n"
    if left_out:
        lacking += _LEFT_OUT + "\n".join(textwrap.fill(f"- {one}", 119, subsequent_indent="  ") for one in left_out)
        lacking += "\n"
    return (_HEAD + (_STAMPED if is_stamped else _NOT_STAMPED) + lacking + _TAIL).encode("ascii")


def _lost_lines(lost: Sequence[LostMember]) -> Iterator[str]:
    for member in lost:
        yield f"- {member.name}: {member.state.value}; it had the SHA-256"
        yield f"  {member.sha256}"
