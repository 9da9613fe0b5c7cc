# A story with the CodeCommit provider of pr-agent, which is configured by the environment only; a review by hand is in the place of that
# by a language model. Each step prints a line of JSON.

import json
import sys

from pr_agent.algo.comment_identity import PRReviewIdentity
from pr_agent.git_providers import get_git_provider_with_context

provider = get_git_provider_with_context(sys.argv[1])


def review(text):
    comment = provider.publish_persistent_comment(
        f"{PRReviewIdentity.REGULAR}\n## PR Reviewer Guide\n{text}",
        initial_header="## PR Reviewer Guide",
        identity_marker=PRReviewIdentity.REGULAR,
    )
    return comment.id


steps = [
    lambda: [provider.get_title(), provider.get_pr_branch(), provider.get_pr_description_full()],
    lambda: provider.get_repo_settings().decode(),
    lambda: [[file.filename, file.edit_type.name] for file in provider.get_files()],
    lambda: {file.filename: file.patch for file in provider.get_diff_files()},
    lambda: {language: round(share) for language, share in provider.get_languages().items()},
    lambda: provider.publish_description("Describe the greeting", "It greets.\nPolitely."),
    lambda: provider.publish_comment("Looks good.").user.login,
    lambda: review("No issues.") == review("One issue."),
    lambda: provider.publish_code_suggestions(
        [{"body": "Say hello:\n```suggestion\nhello\n```", "relevant_file": "greeting.py", "relevant_lines_start": 2}]
    ),
    lambda: [comment.body for comment in provider.get_issue_comments()],
]

for step in steps:
    print(json.dumps(step()))
