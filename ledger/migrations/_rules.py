"""
What PostgreSQL itself insists on (docs/ledger.md, "What the database refuses"):

- postings and entries only grow, accounts keep their nature and are never deleted;
- a posting is complete and sums to zero in each currency when its transaction commits;
- kept balances follow the entries, and nothing else moves them.
"""

APPEND_ONLY = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Correct a mistake with a reversing posting.';
END $$;

CREATE TRIGGER ledger_transaction_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_entry_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_stays BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.posted, NEW.pending_in, NEW.pending_out) IS DISTINCT FROM (0::bigint, 0::bigint, 0::bigint) THEN
            RAISE EXCEPTION 'account % must open empty', NEW.code USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF (NEW.id, NEW.created_at, NEW.code, NEW.kind, NEW.currency, NEW.may_go_negative)
            IS DISTINCT FROM (OLD.id, OLD.created_at, OLD.code, OLD.kind, OLD.currency, OLD.may_go_negative) THEN
        RAISE EXCEPTION 'account % keeps its nature', OLD.code USING ERRCODE = 'restrict_violation';
    ELSIF pg_trigger_depth() < 2 THEN
        -- Depth 1 is a statement somebody sent; the triggers below, which count entries, arrive here at depth 2.
        RAISE EXCEPTION 'balances of % follow its entries', OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_account_keeps_its_nature BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();
"""
KEPT_BALANCES = """
CREATE FUNCTION ledger_side(kind text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN kind IN ('asset', 'expense') THEN 1 ELSE -1 END
$$;
COMMENT ON FUNCTION ledger_side IS '+1 if debits make an account of this kind grow, -1 if credits do';

CREATE FUNCTION ledger_count_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_account WHERE id IN (SELECT account_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM added
        LEFT JOIN ledger_transaction posting ON posting.id = added.transaction_id
        LEFT JOIN ledger_account account ON account.id = added.account_id
        WHERE posting.id IS NULL OR account.currency IS DISTINCT FROM added.currency
    ) THEN
        RAISE EXCEPTION 'an entry needs its posting first and the currency of its account'
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE ledger_account account SET
        posted = account.posted + change.posted,
        pending_in = account.pending_in + change.pending_in,
        pending_out = account.pending_out + change.pending_out
    FROM (
        SELECT own.account_id,
            coalesce(sum(own.amount) FILTER (WHERE own.phase = 'posted'), 0) AS posted,
            sum(own.held * greatest(own.amount, 0)) AS pending_in,
            sum(own.held * greatest(-own.amount, 0)) AS pending_out
        FROM (
            SELECT added.account_id, posting.phase,
                added.amount * ledger_side(account.kind) AS amount,
                CASE WHEN posting.phase = 'reserved' THEN 1 WHEN posting.resolves_id IS NULL THEN 0 ELSE -1 END AS held
            FROM added
            JOIN ledger_transaction posting ON posting.id = added.transaction_id
            JOIN ledger_account account ON account.id = added.account_id
        ) own
        GROUP BY own.account_id
    ) change
    WHERE account.id = change.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_is_counted AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_count_entries();

CREATE FUNCTION ledger_release_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_account
        WHERE id IN (SELECT account_id FROM ledger_entry WHERE transaction_id = NEW.resolves_id)
        ORDER BY id FOR NO KEY UPDATE;
    UPDATE ledger_account account SET
        pending_in = account.pending_in - greatest(entry.amount * ledger_side(account.kind), 0),
        pending_out = account.pending_out - greatest(-entry.amount * ledger_side(account.kind), 0)
    FROM ledger_entry entry
    WHERE entry.transaction_id = NEW.resolves_id AND account.id = entry.account_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'posting % voids no reservation', NEW.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_transaction_releases_what_it_voids AFTER INSERT ON ledger_transaction
    FOR EACH ROW WHEN (NEW.phase = 'voided') EXECUTE FUNCTION ledger_release_reservation();
"""
ZERO_SUM = """
CREATE FUNCTION ledger_check_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked ledger_transaction;
    origin ledger_transaction;
    fault text;
BEGIN
    IF TG_TABLE_NAME = 'ledger_entry' THEN
        SELECT * INTO checked FROM ledger_transaction WHERE id = NEW.transaction_id;
    ELSE
        checked := NEW;
    END IF;

    SELECT format('has %s entries instead of %s', count(*), checked.entry_count) INTO fault
        FROM ledger_entry WHERE transaction_id = checked.id HAVING count(*) <> checked.entry_count;
    IF fault IS NULL THEN
        SELECT format('is off by %s minor units of %s', sum(amount), currency) INTO fault
            FROM ledger_entry WHERE transaction_id = checked.id GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    END IF;

    IF fault IS NULL AND coalesce(checked.resolves_id, checked.reverses_id) IS NOT NULL THEN
        SELECT * INTO origin FROM ledger_transaction WHERE id = coalesce(checked.resolves_id, checked.reverses_id);
        IF origin.phase <> (CASE WHEN checked.resolves_id IS NULL THEN 'posted' ELSE 'reserved' END) THEN
            fault := format('resolves or reverses a posting that is %s', origin.phase);
        ELSIF checked.phase = 'posted' AND (checked.entry_count <> origin.entry_count OR EXISTS (
            SELECT account_id, amount FROM ledger_entry WHERE transaction_id = checked.id
            EXCEPT
            SELECT account_id, CASE WHEN checked.resolves_id IS NULL THEN -amount ELSE amount END
            FROM ledger_entry WHERE transaction_id = origin.id
        )) THEN
            fault := 'differs from what it resolves or reverses';
        END IF;
    END IF;

    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'posting % %', checked.key, fault
            USING ERRCODE = 'check_violation', TABLE = 'ledger_transaction', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_transaction_balances AFTER INSERT ON ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_posting();
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_posting();
"""
ROOM_FOR_WHAT_IS_PENDING = """
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_has_room_for_what_is_pending
    CHECK (abs(posted::numeric) + pending_in + pending_out <= 9223372036854775807);
"""
