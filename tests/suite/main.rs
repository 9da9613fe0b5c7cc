//! The suite: one test binary, its modules named as the service's.

mod approval;
mod approval_rule;
mod approval_rule_template;
mod branch;
mod clients;
mod commit;
mod crash;
mod events;
mod git;
mod git_crash;
mod git_limits;
mod golden;
mod identity;
mod journeys;
mod log_files;
mod paging;
mod place;
mod protocol;
mod pull_request;
mod record;
mod repository;
mod settings;
mod table;
mod tag;
mod tidy;
mod trail;
