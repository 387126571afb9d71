"""Numbers that both the help texts and the code behind them need. Nothing is imported here: help must be quick."""

from __future__ import annotations

DEFAULT_TEMPORAL_PORT = 7233
DEFAULT_UI_PORT = 8233
DEFAULT_API_PORT = 8080
