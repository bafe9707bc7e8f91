"""abaplint reads the ABAP examples in the release that each is for. No ABAP system is here: nothing runs."""

import json
import re
import shutil
import subprocess
import unittest

from service import PLACE, ROOT, environment

# Version 702 has neither inline declarations nor constructor expressions.
VERSIONS = {"z_send_cart_702": "v702", "z_send_cart_740": "v740sp05"}


class Abap(unittest.TestCase):
    def lint(self, name, version):
        folder = PLACE / "abap"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(ROOT / f"examples/abap/{name}.prog.abap", folder)
        settings = json.loads((ROOT / "tests/clients/abaplint.json").read_text())
        settings["syntax"]["version"] = version
        (folder / "abaplint.json").write_text(json.dumps(settings))
        command = [PLACE / "node_modules/.bin/abaplint", "--format", "json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(), timeout=120)
        return json.loads(re.search(r"^\[.*\]", done.stdout, re.M | re.S).group())

    def test_each_program_is_of_its_release(self):
        for name, version in VERSIONS.items():
            with self.subTest(name):
                found = self.lint(name, version)
                self.assertEqual([f"{one['start']['row']}: {one['description']}" for one in found], [])
        self.assertGreater(len(self.lint("z_send_cart_740", "v702")), 10, "abaplint finds what 7.02 does not have")


if __name__ == "__main__":
    unittest.main()
