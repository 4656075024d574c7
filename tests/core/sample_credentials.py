"""Keys and accounts that several tests of the core name."""

FOREIGN_KEYS = ["AIza", "AQ.", "sk-", "sk-ant-", "ghp_", "github_pat_", "xai-", "gsk_", "hf_", "AKIA"]
"""The beginnings of other services' keys, which are no tokens."""

ACCOUNTS = ["one@emulator-project.iam.gserviceaccount.com", "two@emulator-project.iam.gserviceaccount.com"]
"""Service accounts that the emulator's credentials may impersonate."""
