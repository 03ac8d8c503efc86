"""How tests sign in to their ClickHouse."""

USER, PASSWORD, DATABASE = "vectragrow", "s3cret/é", "analytics"
