"""Every UNLOAD of the project asks for the bucket's key: Redshift takes SSE-S3 unless it is asked."""

import re

from laptop.environment import PROJECT


def test_every_unload_is_encrypted_with_the_default_key_of_its_bucket() -> None:
    texts = {file.name: file.read_text() for file in (PROJECT / "sql").rglob("*.sql")}
    unloads = [
        (name, statement)
        for name, text in texts.items()
        for statement in re.findall(r"^unload \(.*?;$", text, re.DOTALL | re.MULTILINE)
    ]
    assert len(unloads) == sum(len(re.findall(r"\bunload\s*\(", text)) for text in texts.values()) >= 7
    assert [name for name, statement in unloads if "\nencrypted auto\n" not in statement] == []
