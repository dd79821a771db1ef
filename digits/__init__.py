"""Are weight sharing and auxiliary losses worth it? Five reports, measured again."""
