"""Versions of documents and the consents to them are not rewritten; a draft is deleted with its documents."""

APPEND_ONLY = """
CREATE TRIGGER document_version_is_not_rewritten BEFORE UPDATE ON campaigns_campaigndocument
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER document_consent_is_append_only BEFORE UPDATE OR DELETE ON campaigns_documentconsent
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
