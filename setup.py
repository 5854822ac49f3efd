"""The one build step that pyproject.toml cannot say: the top-level rules/ travel inside the package."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRules(build_py):
    """Copies rules/*.yaml to guardian/shipped_rules/ of whatever is being built."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "guardian" / "shipped_rules"
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(Path("rules").glob("*.yaml")):
            self.copy_file(str(file), str(target / file.name))


setup(cmdclass={"build_py": BuildWithRules})
