CREATE TABLE aegize_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bytes BLOB NOT NULL
) STRICT;

-- Times are microseconds since 1970. The body is the request; the rest says again what of it
-- queries and the atomic steps need.
CREATE TABLE aegize_requests (
    id BLOB NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    binding BLOB NOT NULL,
    scope BLOB NOT NULL,
    standing INTEGER NOT NULL,
    terms BLOB NOT NULL,
    agent_id TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX aegize_requests_asked ON aegize_requests (binding, terms)
    WHERE state = 'requested';
CREATE INDEX aegize_requests_bound ON aegize_requests (binding)
    WHERE state IN ('requested', 'granted', 'rejected');
CREATE INDEX aegize_requests_standing ON aegize_requests (scope) WHERE standing;
CREATE INDEX aegize_requests_state ON aegize_requests (state, id);
CREATE INDEX aegize_requests_agent ON aegize_requests (agent_id, id);
CREATE INDEX aegize_requests_tool ON aegize_requests (tool_name, operation, id);

CREATE TABLE aegize_approvers (
    name TEXT NOT NULL PRIMARY KEY,
    groups TEXT NOT NULL,
    slack TEXT UNIQUE
) STRICT;

CREATE TABLE aegize_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    approver TEXT NOT NULL REFERENCES aegize_approvers (name),
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE aegize_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    receipt TEXT,
    error TEXT,
    -- Told of a request, and not yet of its end.
    is_open INTEGER NOT NULL,
    UNIQUE (request_id, channel, kind)
) STRICT;

CREATE INDEX aegize_deliveries_due ON aegize_deliveries (channel, due_at)
    WHERE state = 'pending';
CREATE INDEX aegize_deliveries_open ON aegize_deliveries (id) WHERE is_open;
CREATE INDEX aegize_deliveries_problems ON aegize_deliveries (updated_at)
    WHERE error IS NOT NULL;

CREATE VIEW aegize_clock AS
    SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000 AS now;
