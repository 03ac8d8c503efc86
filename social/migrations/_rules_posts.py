"""How many posts of an author there are for whom, kept by PostgreSQL itself (`AuthorCounts`)."""

AUTHOR_COUNTS = """
CREATE FUNCTION social_audience_of(post social_post) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN post.group_id IS NULL AND post.channel_id IS NULL
            AND post.deleted_at IS NULL AND post.hidden_at IS NULL AND post.held_at IS NULL
        THEN NULLIF(post.visibility, 'private')
    END
$$;
CREATE FUNCTION social_count_for_author(author uuid, audience text, step integer) RETURNS void LANGUAGE sql AS $$
    UPDATE social_authorcounts
    SET public_posts = public_posts + CASE WHEN audience = 'public' THEN step ELSE 0 END,
        followers_posts = followers_posts + CASE WHEN audience = 'followers' THEN step ELSE 0 END
    WHERE user_id = author AND audience IS NOT NULL
$$;
CREATE FUNCTION social_keep_author_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE WHEN TG_OP <> 'INSERT' THEN social_audience_of(OLD) END;
    after text := CASE WHEN TG_OP <> 'DELETE' THEN social_audience_of(NEW) END;
BEGIN
    IF before IS DISTINCT FROM after THEN
        IF after IS NOT NULL THEN
            INSERT INTO social_authorcounts (user_id, public_posts, followers_posts) VALUES (NEW.author_id, 0, 0)
            ON CONFLICT DO NOTHING;
            PERFORM social_count_for_author(NEW.author_id, after, 1);
        END IF;
        IF before IS NOT NULL THEN
            PERFORM social_count_for_author(OLD.author_id, before, -1);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER post_is_counted_for_its_author
    AFTER INSERT OR DELETE OR UPDATE OF visibility, deleted_at, hidden_at, held_at ON social_post
    FOR EACH ROW EXECUTE FUNCTION social_keep_author_counts();
"""
