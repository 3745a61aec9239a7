//! Where the approvals of Aegize are kept: SQLite for one host, PostgreSQL for several.
