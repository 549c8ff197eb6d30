"""The workflows are what GitHub understands, and run commands that there are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


class WorkflowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.texts = {path.stem: path.read_text("utf-8") for path in WORKFLOWS}
        self.workflows = {name: yaml.safe_load(text) for name, text in self.texts.items()}

    def test_each_has_the_form_that_github_publishes(self) -> None:
        self.assertEqual(sorted(self.workflows), ["ci", "release"])
        form = ("--builtin-schema", "vendor.github-workflows")
        checked = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *form, *map(str, WORKFLOWS)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_continuous_integration_runs_the_test_commands(self) -> None:
        commands = [step.get("run") for step in steps(self.workflows["ci"])]
        self.assertIn("bash .ci/run", commands)
        self.assertIn("sudo .venv/bin/python -m tests.image", commands)
        (command,) = re.findall(r"^python3 .*-m tests$", (ROOT / "README.md").read_text(), re.M)
        self.assertIn(command, commands)

    def test_every_supported_python_is_tested(self) -> None:
        named = set(re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.py").read_text()))
        jobs = self.workflows["ci"]["jobs"]
        tested = set(jobs["pythons"]["strategy"]["matrix"]["python"])
        (first,) = (
            step["with"]["python-version"]
            for step in jobs["all"]["steps"]
            if "python-version" in step.get("with", {})
        )
        self.assertEqual(tested | {first}, named)

    def test_what_is_published_was_looked_at_and_needs_no_secret(self) -> None:
        jobs = self.workflows["release"]["jobs"]
        self.assertIn("-m tests.release --tag", jobs["archives"]["steps"][3]["run"])
        self.assertEqual(jobs["publish"]["needs"], ["archives", "compiled"])
        self.assertEqual(jobs["publish"]["permissions"], {"id-token": "write"})
        for text in self.texts.values():
            self.assertNotIn("secrets.", text)

    def test_texts_of_strangers_never_become_commands(self) -> None:
        """The name of a branch or a tag is put into a variable, not into a shell's text."""
        for workflow in self.workflows.values():
            self.assertEqual(workflow["permissions"], {"contents": "read"})
            for step in steps(workflow):
                self.assertNotIn("${{", step.get("run", ""))

    def test_no_job_runs_for_ever(self) -> None:
        for workflow in self.workflows.values():
            for name, job in workflow["jobs"].items():
                self.assertIn("timeout-minutes", job, name)
