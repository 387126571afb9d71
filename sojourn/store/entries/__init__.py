"""The entry ledger: who may enter a journey, and who has."""
