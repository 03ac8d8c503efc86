"""The hash of a posting, and that seals only grow (docs/ledger.md, Seals)."""

SEALS = """
CREATE FUNCTION ledger_hash(posting ledger_transaction) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(json_build_array(
        posting.id, posting.key, posting.phase, posting.kind, posting.reference, posting.description,
        (extract(epoch FROM posting.created_at) * 1000000)::bigint,
        (extract(epoch FROM posting.effective_at) * 1000000)::bigint,
        posting.entry_count, coalesce(posting.resolves_id::text, ''), coalesce(posting.reverses_id::text, ''),
        coalesce((
            SELECT json_agg(json_build_array(account.code, entry.amount, entry.currency) ORDER BY account.code COLLATE "C")
            FROM ledger_entry entry JOIN ledger_account account ON account.id = entry.account_id
            WHERE entry.transaction_id = posting.id
        ), '[]'::json)
    )::text, 'UTF8'))
$$;
COMMENT ON FUNCTION ledger_hash IS 'SHA-256 of the canonical text of a posting with its entries';

CREATE FUNCTION ledger_day(id uuid) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT (to_timestamp((('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint) / 1000.0) AT TIME ZONE 'UTC')::date
$$;
COMMENT ON FUNCTION ledger_day IS 'The day (UTC) of a UUIDv7, RFC 9562 section 5.7';

CREATE FUNCTION ledger_digest(previous bytea, day date, hashes bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(to_char(day, 'YYYY-MM-DD'), 'UTF8') || hashes)
$$;

CREATE TRIGGER ledger_seal_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_sealed_day_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_sealed_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""
