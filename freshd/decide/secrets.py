"""Files that look like secrets: a path in, the pattern it meets out. Content is never read.

Such a file is never injected, unless the policy allows that very path.
"""

import re
from fnmatch import fnmatchcase, translate

# Each pattern is held against every part of a path, in lower case.
PATTERNS: tuple[str, ...] = (
    ".env",
    ".env.*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.tfstate",
    "*.tfstate.*",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".docker",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".ssh",
    ".git",
    ".vault*",
    "credentials",
    "credentials*.json",
    "service-account*.json",
    "service_account*.json",
    "secrets.*",
)
# Templates that are meant to be shared, and modules of code that are merely called "secrets".
HARMLESS: tuple[str, ...] = (
    "*.example",
    "*.sample",
    "*.template",
    "*.dist",
    "secrets.py",
    "secrets.pyi",
    "secrets.js",
    "secrets.jsx",
    "secrets.ts",
    "secrets.tsx",
    "secrets.go",
    "secrets.rs",
    "secrets.rb",
    "secrets.php",
    "secrets.java",
    "secrets.kt",
    "secrets.cs",
    "secrets.html",
    "secrets.css",
    "secrets.md",
)

_SECRET = re.compile("|".join(translate(pattern) for pattern in PATTERNS))
_HARMLESS = re.compile("|".join(translate(pattern) for pattern in HARMLESS))


def secret_pattern(path: str) -> str | None:
    """The pattern that makes ``path`` look like a secret, or None."""
    for part in path.lower().split("/"):
        if _SECRET.match(part) and not _HARMLESS.match(part):
            return next(pattern for pattern in PATTERNS if fnmatchcase(part, pattern))
    return None
