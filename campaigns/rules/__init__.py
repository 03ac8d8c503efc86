"""
What investors and owners may do and until when, as data with its source cited (docs/investor-rights.md).

These are defaults for operators and not legal advice. `data/<name>-<version>.toml` holds one version of a rule set; a
campaign keeps the version that was in force when it was submitted.
"""

from campaigns.rules.sets import Rule, Rules, RuleSet, Unit, every_version, rule_set, version_on

__all__ = ["Rule", "RuleSet", "Rules", "Unit", "every_version", "rule_set", "version_on"]
