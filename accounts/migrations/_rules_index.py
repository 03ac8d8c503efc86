"""What people are found by (core/search.py): their names, as long as the account is there."""

INDEX = """
CREATE FUNCTION accounts_write_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'deleted' THEN
        DELETE FROM accounts_personindex WHERE person_id = NEW.id;
    ELSE
        INSERT INTO accounts_personindex (person_id, words)
        VALUES (NEW.id, search_names(concat_ws(' ', NEW.first_name, NEW.last_name)))
        ON CONFLICT (person_id) DO UPDATE SET words = excluded.words;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER person_is_indexed AFTER INSERT ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_write_index();
CREATE TRIGGER person_is_indexed_again AFTER UPDATE OF first_name, last_name, status ON accounts_user
    FOR EACH ROW WHEN ((OLD.first_name, OLD.last_name, OLD.status) IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.status))
    EXECUTE FUNCTION accounts_write_index();
INSERT INTO accounts_personindex (person_id, words)
SELECT id, search_names(concat_ws(' ', first_name, last_name)) FROM accounts_user WHERE status <> 'deleted'
ON CONFLICT DO NOTHING;
"""
