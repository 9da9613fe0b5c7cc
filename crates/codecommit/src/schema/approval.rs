//! Tables of approval rules, their templates, and approvals.

/// A template with associated repositories cannot be deleted.
pub(super) const TEMPLATES: &str = "
    CREATE TABLE approval_rule_templates (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT,
        content TEXT NOT NULL,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        modified_by TEXT NOT NULL,
        UNIQUE (account, region, name)
    );
    CREATE TABLE approval_rule_template_associations (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        template_id TEXT NOT NULL REFERENCES approval_rule_templates (id),
        PRIMARY KEY (repository_id, template_id)
    );
    CREATE INDEX repositories_of_templates ON approval_rule_template_associations (template_id, repository_id);
";

/// A rule has the id of the template that created it, and the template's name at that time; the template may be deleted since.
/// An approval or override belongs to one revision of a pull request; those of earlier revisions stay readable.
pub(super) const RULES: &str = "
    CREATE TABLE approval_rules (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        pull_request INTEGER NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        modified_by TEXT NOT NULL,
        template_id TEXT,
        template_name TEXT,
        UNIQUE (account, region, pull_request, name),
        FOREIGN KEY (account, region, pull_request) REFERENCES pull_requests (account, region, number) ON DELETE CASCADE
    );
    CREATE TABLE approvals (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        pull_request INTEGER NOT NULL,
        revision_id TEXT NOT NULL,
        approver TEXT NOT NULL,
        PRIMARY KEY (account, region, pull_request, revision_id, approver),
        FOREIGN KEY (account, region, pull_request) REFERENCES pull_requests (account, region, number) ON DELETE CASCADE
    );
    CREATE TABLE approval_overrides (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        pull_request INTEGER NOT NULL,
        revision_id TEXT NOT NULL,
        overrider TEXT NOT NULL,
        PRIMARY KEY (account, region, pull_request, revision_id),
        FOREIGN KEY (account, region, pull_request) REFERENCES pull_requests (account, region, number) ON DELETE CASCADE
    );
";
