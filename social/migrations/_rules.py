"""What PostgreSQL itself insists on in the community."""

POSTS = """
CREATE FUNCTION social_guard_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.author_id, NEW.group_id, NEW.channel_id, NEW.campaign_id, NEW.author_role)
        IS DISTINCT FROM (OLD.author_id, OLD.group_id, OLD.channel_id, OLD.campaign_id, OLD.author_role)
    THEN
        RAISE EXCEPTION 'author, place, campaign and role of a post stay what they were'
            USING ERRCODE = 'check_violation', TABLE = 'social_post', CONSTRAINT = 'post_keeps_its_author_and_place';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER post_keeps_its_rules BEFORE UPDATE OF author_id, group_id, channel_id, campaign_id, author_role
    ON social_post FOR EACH ROW EXECUTE FUNCTION social_guard_post();
"""

COMMENTS = """
CREATE FUNCTION social_guard_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.author_id, NEW.post_id, NEW.parent_id, NEW.author_role)
            IS DISTINCT FROM (OLD.author_id, OLD.post_id, OLD.parent_id, OLD.author_role)
        THEN
            RAISE EXCEPTION 'author, place and role of a comment stay what they were'
                USING ERRCODE = 'check_violation', TABLE = 'social_comment', CONSTRAINT = 'comment_keeps_its_author_and_place';
        END IF;
    ELSIF NEW.parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM social_comment WHERE id = NEW.parent_id AND post_id = NEW.post_id AND parent_id IS NULL
    ) THEN
        RAISE EXCEPTION 'a reply answers a comment of the same post'
            USING ERRCODE = 'check_violation', TABLE = 'social_comment', CONSTRAINT = 'reply_answers_a_comment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER comment_is_in_its_place BEFORE INSERT ON social_comment
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION social_guard_comment();
CREATE TRIGGER comment_keeps_its_rules BEFORE UPDATE OF author_id, post_id, parent_id, author_role ON social_comment
    FOR EACH ROW EXECUTE FUNCTION social_guard_comment();
"""
