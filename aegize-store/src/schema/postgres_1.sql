CREATE TABLE aegize_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bytes BYTEA NOT NULL
);

-- Times are microseconds since 1970. The body is the request; the rest says again what of it
-- queries and the atomic steps need.
CREATE TABLE aegize_requests (
    id UUID PRIMARY KEY,
    revision BIGINT NOT NULL,
    state TEXT NOT NULL,
    binding BYTEA NOT NULL,
    scope BYTEA NOT NULL,
    standing BOOLEAN NOT NULL,
    terms BYTEA NOT NULL,
    agent_id TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE UNIQUE INDEX aegize_requests_asked ON aegize_requests (binding, terms)
    WHERE state = 'requested';
CREATE INDEX aegize_requests_bound ON aegize_requests (binding)
    WHERE state IN ('requested', 'granted', 'rejected');
CREATE INDEX aegize_requests_standing ON aegize_requests (scope) WHERE standing;
CREATE INDEX aegize_requests_state ON aegize_requests (state, id);
CREATE INDEX aegize_requests_agent ON aegize_requests (agent_id, id);
CREATE INDEX aegize_requests_tool ON aegize_requests (tool_name, operation, id);
-- What the fallback for a lost notification reads.
CREATE INDEX aegize_requests_updated ON aegize_requests (updated_at);

CREATE FUNCTION aegize_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY aegize_requests;
    RETURN NULL;
END
$$;

CREATE TRIGGER aegize_told AFTER INSERT OR UPDATE OR DELETE ON aegize_requests
    FOR EACH ROW EXECUTE FUNCTION aegize_tell();

CREATE TABLE aegize_approvers (
    name TEXT PRIMARY KEY,
    groups TEXT NOT NULL,
    slack TEXT UNIQUE
);

CREATE TABLE aegize_tokens (
    id TEXT PRIMARY KEY,
    approver TEXT NOT NULL REFERENCES aegize_approvers (name),
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE aegize_deliveries (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id UUID NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    receipt TEXT,
    error TEXT,
    -- Told of a request, and not yet of its end.
    is_open BOOLEAN NOT NULL,
    UNIQUE (request_id, channel, kind)
);

CREATE INDEX aegize_deliveries_due ON aegize_deliveries (channel, due_at)
    WHERE state = 'pending';
CREATE INDEX aegize_deliveries_open ON aegize_deliveries (id) WHERE is_open;
CREATE INDEX aegize_deliveries_problems ON aegize_deliveries (updated_at)
    WHERE error IS NOT NULL;

-- The time when it is asked, not that of the transaction.
CREATE VIEW aegize_clock AS
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT AS now;
