//! Routes of paths to pages.

use aws::Region;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use percent_encoding::percent_decode_str;

use crate::form::Form;
use crate::pages::code::edit::{self, Action};
use crate::pages::code::upload;
use crate::sign_in::SignInRequest;
use crate::visit::{Page, Visit};
use crate::{Services, assets, comments, cookie, multipart, pages, reply, session, url};

/// Serves a request.
pub(crate) fn route(services: Services<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().strip_prefix(crate::ROOT).unwrap_or_default();
    let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["assets", version, name] = segments[..] {
        return assets::serve(version, name)
            .unwrap_or_else(|| reply::with_body(404, "text/plain", "There is no such file.\n"));
    }
    let region = cookie::REGION.read(request.headers()).parse().unwrap_or_else(|_| Region::clone(services.region));
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let is_post = request.method() == Method::POST;
    let form = if is_post { read_form(request) } else { Form::default() };
    if let ["sign-in" | "federation"] = segments[..] {
        let now = services.sts.now();
        let sign_in = SignInRequest { services, request, region, now, query, form };
        return match (&segments[..], request.method()) {
            (["federation"], &Method::GET | &Method::HEAD | &Method::POST) => pages::federation::serve(&sign_in),
            (["sign-in"], &Method::GET | &Method::HEAD) => pages::sign_in::show(&sign_in),
            (["sign-in"], &Method::POST) => pages::sign_in::submit(&sign_in),
            _ => not_allowed(),
        };
    }
    let reader = match session::reader(services, request.headers()) {
        Ok(Some(reader)) => reader,
        Ok(None) => return reply::redirect(&sign_in_page(request)),
        Err(failure) => return pages::sign_in::failure(&failure),
    };
    let visit = Visit { services, request, reader, region, query, form };
    let page = match *request.method() {
        Method::GET | Method::HEAD => get(&visit, &segments),
        Method::POST if visit.is_own_form() => post(&visit, &segments),
        Method::POST => Ok(pages::failure::foreign_form(&visit)),
        _ => Ok(not_allowed()),
    };
    page.unwrap_or_else(|failure| pages::failure::show(&visit, &failure))
}

/// Returns the URL of the sign-in page, which leads back to the requested page.
fn sign_in_page(request: &Request<Bytes>) -> String {
    let here = if request.method() == Method::GET { request.uri().path_and_query() } else { None };
    url::with(&url::page("sign-in"), &[("to", here.map_or("", |here| here.as_str()))])
}

fn not_allowed() -> Response<Bytes> {
    reply::with_body(405, "text/plain; charset=utf-8", "This method is not allowed here.\n")
}

/// Serves a page.
fn get(visit: &Visit<'_>, segments: &[&str]) -> Page {
    match *segments {
        [] => Ok(reply::redirect(&url::page("repositories"))),
        ["repositories"] => pages::repositories::list(visit),
        ["repositories", name] => Ok(reply::redirect(&url::repository(name, "code"))),
        ["repositories", name, "settings"] => pages::settings::show(visit, name),
        ["repositories", name, "triggers"] => pages::triggers::show(visit, name),
        ["repositories", name, "code"] => pages::code::show(visit, name),
        ["repositories", name, "raw"] => pages::code::raw::show(visit, name),
        ["repositories", name, "large"] => pages::code::large::show(visit, name),
        ["repositories", name, "create"] => edit::show(visit, name, Action::Create),
        ["repositories", name, "edit"] => edit::show(visit, name, Action::Edit),
        ["repositories", name, "delete"] => edit::show(visit, name, Action::Delete),
        ["repositories", name, "upload"] => upload::show(visit, name),
        ["repositories", name, "commits"] => pages::commits::show(visit, name),
        ["repositories", name, "archive"] => pages::archive::show(visit, name),
        ["repositories", name, "commit"] => pages::commit::show(visit, name),
        ["repositories", name, "events"] => Ok(reply::redirect(&url::events_of("ResourceName", name))),
        ["templates"] => pages::templates::list(visit),
        ["templates", "template"] => pages::templates::show(visit),
        ["live"] => pages::live::show(visit),
        ["feed"] => pages::live::feed(visit),
        ["repositories", name, "branches"] => pages::branches::list(visit, name),
        ["repositories", name, "branches", "delete"] => pages::branches::confirm(visit, name),
        ["repositories", name, "compare"] => pages::compare::compare(visit, name),
        ["repositories", name, "tags"] => pages::tags::list(visit, name),
        ["repositories", name, "pull-requests"] => pages::pull_requests::list(visit, name),
        ["repositories", name, "pull-requests", "new"] => pages::pull_requests::form(visit, name),
        ["repositories", _, "pull-requests", id] => pages::pull_request::details(visit, id),
        ["repositories", _, "pull-requests", id, "activity"] => pages::pull_request::activity(visit, id),
        ["repositories", _, "pull-requests", id, "changes"] => pages::pull_request::changes(visit, id),
        ["repositories", _, "pull-requests", id, "commits"] => pages::pull_request::commits(visit, id),
        ["repositories", _, "pull-requests", id, "approvals"] => pages::pull_request::approvals(visit, id),
        ["repositories", _, "pull-requests", id, "rules"] => pages::pull_request::rule_form(visit, id),
        ["repositories", _, "pull-requests", id, "edit"] => pages::pull_request::form(visit, id),
        ["repositories", _, "pull-requests", id, "merge"] => pages::pull_request::preview(visit, id),
        ["pull-requests"] => pages::pull_requests::all(visit),
        ["search"] => Ok(pages::search::find(visit)),
        ["switch-role"] => pages::switch_role::show(visit),
        ["events"] => pages::events::show(visit),
        ["events", "compare"] => pages::event_comparison::show(visit),
        ["events", id] => pages::event::show(visit, id),
        ["trails"] => pages::trails::list(visit),
        ["trails", name] => pages::trail::show(visit, name),
        ["timeline"] => pages::timeline::show(visit),
        ["pushes"] => pages::pushes::show(visit),
        ["people"] => pages::people::show(visit),
        _ => Ok(pages::failure::not_found(visit)),
    }
}

/// Does what a form asks for.
fn post(visit: &Visit<'_>, segments: &[&str]) -> Page {
    match *segments {
        ["exit-role"] => pages::switch_role::exit(visit),
        ["preferences"] => pages::preferences::set(visit),
        ["repositories"] => pages::repositories::create(visit),
        ["repositories", name, "settings"] => pages::settings::change(visit, name),
        ["repositories", name, "triggers"] => pages::triggers::change(visit, name),
        ["templates"] => pages::templates::create(visit),
        ["templates", "template"] => pages::templates::change(visit),
        ["repositories", name, "create"] => edit::save(visit, name, Action::Create),
        ["repositories", name, "edit"] => edit::save(visit, name, Action::Edit),
        ["repositories", name, "delete"] => edit::save(visit, name, Action::Delete),
        ["repositories", name, "upload"] => upload::save(visit, name),
        ["repositories", name, "archive"] => pages::archive::save(visit, name),
        ["repositories", name, "comments"] => comments::post(visit, name),
        ["repositories", name, "branches"] => pages::branches::create(visit, name),
        ["repositories", name, "branches", "delete"] => pages::branches::delete(visit, name),
        ["repositories", name, "branches", "default"] => pages::branches::make_default(visit, name),
        ["repositories", name, "pull-requests", "new"] => pages::pull_requests::create(visit, name),
        ["repositories", name, "pull-requests", id, "close"] => pages::pull_request::close(visit, name, id),
        ["repositories", name, "pull-requests", id, "edit"] => pages::pull_request::edit(visit, name, id),
        ["repositories", _, "pull-requests", id, "merge"] => pages::pull_request::merge(visit, id),
        ["repositories", name, "pull-requests", id, "approve"] => pages::pull_request::approve(visit, name, id),
        ["repositories", name, "pull-requests", id, "override"] => pages::pull_request::override_rules(visit, name, id),
        ["repositories", name, "pull-requests", id, "rules"] => pages::pull_request::create_rule(visit, name, id),
        ["repositories", name, "pull-requests", id, "rules", "edit"] => {
            pages::pull_request::update_rule(visit, name, id)
        }
        ["repositories", name, "pull-requests", id, "rules", "delete"] => {
            pages::pull_request::delete_rule(visit, name, id)
        }
        ["sign-out"] => pages::sign_in::sign_out(visit),
        ["switch-role"] => pages::switch_role::submit(visit),
        ["trails"] => pages::trails::create(visit),
        ["trails", name, action @ ("start" | "stop" | "update" | "delete")] => {
            pages::trail::change(visit, name, action)
        }
        _ => Ok(pages::failure::not_found(visit)),
    }
}

fn read_form(request: &Request<Bytes>) -> Form {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded") {
        Form::parse(request.body())
    } else if let Some(boundary) = multipart::boundary(content_type) {
        multipart::parts(request.body(), &boundary).map(Form::of_parts).unwrap_or_default()
    } else {
        Form::default()
    }
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
