"""What an investor has declared, answered and acknowledged is not rewritten; erasing a person may delete it."""

APPEND_ONLY = """
CREATE TRIGGER declaration_is_not_rewritten BEFORE UPDATE ON investments_investordeclaration
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER knowledge_try_is_not_rewritten BEFORE UPDATE ON investments_knowledgetry
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER acknowledgement_is_append_only BEFORE UPDATE OR DELETE ON investments_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
