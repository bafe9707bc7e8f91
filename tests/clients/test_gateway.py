"""What docs/gateway.md says of SAP API Management, as far as it can be checked without one."""

import json
import re
import unittest
import xml.etree.ElementTree as xml

import jsonschema
from service import ROOT

PAGE = (ROOT / "docs/gateway.md").read_text()
SECTION = PAGE[PAGE.index("## SAP API Management") : PAGE.index("## nginx")]
DESCRIPTION = json.loads((ROOT / "openapi/openapi-3.0.json").read_text())
NAMESPACE = "{http://www.sap.com/apimgmt}"


def members(value):
    """Every name and value below."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in pairs:
        yield name, below
        yield from members(below)


class Gateway(unittest.TestCase):
    def test_the_description_has_what_api_management_takes(self):
        self.assertTrue(DESCRIPTION["openapi"].startswith("3.0."))
        for name, value in members(DESCRIPTION):
            if name == "$ref":
                self.assertTrue(value.startswith("#/"), value)
            self.assertNotEqual(name, "links")
            if name in ("description", "summary", "title"):
                self.assertNotIn("![", str(value))
                self.assertNotIn("<img", str(value))
        self.assertLessEqual(len(DESCRIPTION["info"]["title"]), 80)

    def test_a_problem_of_a_policy_is_one_of_the_services(self):
        """Each has the schema of the service's own."""
        payloads = [
            json.loads(payload.text)
            for block in re.findall(r"^```xml\n(.*?)^```$", SECTION, re.M | re.S)
            for payload in xml.fromstring(block).iter(f"{NAMESPACE}Payload")
        ]
        self.assertEqual(len(payloads), 1)
        required = {"$ref": "#/components/schemas/Problem", "components": DESCRIPTION["components"]}
        # Those that only the service knows.
        unknown = {"'requestId' is a required property", "'instance' is a required property"}
        found = {error.message for error in jsonschema.Draft202012Validator(required).iter_errors(payloads[0])}
        self.assertEqual(found - unknown, set())

    def test_each_problem_of_the_table_is_known(self):
        kinds = (ROOT / "src/problem/kind.rs").read_text()
        rows = re.findall(r"^\| `?[^|]+\| (\d{3}) \| `([a-z-]+)` \|", SECTION, re.M)
        self.assertGreaterEqual(len(rows), 5)
        for _, name in rows:
            self.assertIn(f'= "{name}",', kinds)


if __name__ == "__main__":
    unittest.main()
