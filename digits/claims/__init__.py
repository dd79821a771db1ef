"""Every claim of the reports as a declared value, and how the records decide it."""

from digits.claims import cadei, damachi, jaubert, kqiku, zadoks
from digits.claims.deciding import Claim, Decision, decide, decide_again

#: What each report claims in short, who wrote it, and its claims.
BY_REPORT = {
    "kqiku": kqiku,
    "cadei": cadei,
    "jaubert": jaubert,
    "damachi": damachi,
    "zadoks": zadoks,
}
CLAIMS: tuple[Claim, ...] = tuple(claim for report in BY_REPORT.values() for claim in report.CLAIMS)

__all__ = ["BY_REPORT", "CLAIMS", "Claim", "Decision", "decide", "decide_again"]
