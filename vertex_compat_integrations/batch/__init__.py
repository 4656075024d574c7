"""Answers a file of prompts, each exactly once: JSON lines in and out; an interrupted run can be resumed.

The output file is the only record of progress: a line that has a result there is not sent again.
"""

from vertex_compat_integrations.batch.kept_rows import KeptRows
from vertex_compat_integrations.batch.rate import Rate
from vertex_compat_integrations.batch.run import Batch, Pacing, arun_batch, run_batch
from vertex_compat_integrations.batch.summary import FailureGroup, Summary

__all__ = ["Batch", "FailureGroup", "KeptRows", "Pacing", "Rate", "Summary", "arun_batch", "run_batch"]
