"""`etlkit doctor`: facts about a deployment and its servers, judged in words, each with what to do about it."""

from etlkit.doctor.checks import CHECKS
from etlkit.doctor.examination import Examination, examine
from etlkit.doctor.findings import Check, Finding

__all__ = ["CHECKS", "Check", "Examination", "Finding", "examine"]
