"""Projects with Python files: which files count, importing them, and what they define beside the YAML.

Definitions are read in a process of their own (`load_project`), so that nothing that a file does when it is imported
reaches the caller: it may print, end the process or never end. A worker imports the files itself (`import_project`),
since it calls the functions.
"""

from __future__ import annotations

from sojourn.loading.files import Found, find_files, is_project_code
from sojourn.loading.importing import Imported, import_modules, import_project, members_of
from sojourn.loading.keeping import keep_code
from sojourn.loading.reading import load_project, read_python

__all__ = [
    "Found",
    "Imported",
    "find_files",
    "import_modules",
    "import_project",
    "is_project_code",
    "keep_code",
    "load_project",
    "members_of",
    "read_python",
]
