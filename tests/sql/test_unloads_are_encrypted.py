"""Every UNLOAD of the project asks for the bucket's key: Redshift takes SSE-S3 unless it is asked."""

import re

from laptop.environment import PROJECT


def test_every_unload_is_encrypted_with_the_default_key_of_its_bucket() -> None:
    unloads = [
        (file.name, statement)
        for file in sorted((PROJECT / "sql").rglob("*.sql"))
        for statement in re.findall(r"^unload \(.*?;$", file.read_text(), re.DOTALL | re.MULTILINE)
    ]
    assert unloads
    assert [name for name, statement in unloads if "\nencrypted auto\n" not in statement] == []
