//! 11VMS and its token endpoint: a token, and the look-up of an order that can't exist.

use std::sync::Arc;

use super::finding::Finding;
use super::limit::within_limit;
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Settings, Target};
use crate::order::OrderId;
use crate::order::vms_response::{CallOutcome, LookUpResult, OrderNames, read_look_up};
use crate::vms::client::VmsClient;

const NETWORK: &str = "check target.base_url, the network from here to it, and target.ca";

/// Fetches a token, and looks an order up; nothing is created.
pub async fn examine_target(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    let target = &settings.target;
    // A file that can't be used is a finding of the certificates.
    let Ok(client) = VmsClient::from_config(target, Arc::clone(clock), Conditions::default()) else {
        return Vec::new();
    };
    let token = within_limit(async { client.fetch_token().await.map_err(|error| error.to_string()) }).await;
    let url = &target.oauth2.token_url;
    match token {
        Err(problem) => vec![
            Finding::fail(
                format!("token endpoint: no token from {url}: {problem}"),
                "check token_url, client_id, grant, auth and their secret or key under [target.oauth2], and the network",
            ),
            Finding::fail(
                format!("11VMS: {} was not asked, because there is no token", target.base_url),
                "cure the token endpoint first",
            ),
        ],
        Ok(()) => {
            vec![Finding::ok(format!("token endpoint: {url} issued a token")), examine_look_up(target, &client).await]
        }
    }
}

/// The look-up of a random GUID. It is in the form of every other, so that 11VMS answers as it would about an order that it
/// does not have, and with 122 random bits it is no cart's.
async fn examine_look_up(target: &Target, client: &VmsClient) -> Finding {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let base_url = &target.base_url;
    let call = match within_limit(async { Ok(Box::pin(client.look_up_by(&id, &id)).await) }).await {
        Ok(call) => call,
        Err(problem) => return Finding::fail(format!("11VMS: {base_url}: {problem}"), NETWORK),
    };
    let remedy = remedy(&call);
    let names = OrderNames { id: &OrderId::of(&id), cart_number: &id };
    match read_look_up(call, names, &target.response_rules) {
        LookUpResult::Absent => {
            Finding::ok(format!("11VMS: {base_url} answers the look-up of an order that can't exist"))
        }
        found @ LookUpResult::Found(_) => Finding::fail(
            format!("11VMS: {base_url} was asked for an order that can't exist: {}", found.description()),
            "have 11VMS's look-up filter by the id, or correct target.lookup: it would take another order's number for ours",
        ),
        unclear @ LookUpResult::Inconclusive(_) => {
            Finding::fail(format!("11VMS: {base_url}: {}", unclear.description()), remedy)
        }
    }
}

fn remedy(call: &CallOutcome) -> &'static str {
    const PERMISSION: &str = "give the client of target.oauth2.client_id the permission to look orders up, or its scope in target.oauth2.scopes";
    match call {
        CallOutcome::Deferred { .. } => "wait as long as the token endpoint asks for, and try again",
        CallOutcome::NotSent(_) | CallOutcome::Lost(_) => NETWORK,
        CallOutcome::Answered(response) => match response.status {
            401 => "check scopes and audience under [target.oauth2], and that token_url is the one of this 11VMS",
            403 => PERMISSION,
            404 | 405 => "check target.base_url, and the path of the look-up in the profile of 11VMS's API",
            408 | 429 | 500..=599 => "try again; if it stays, 11VMS has to be cured",
            _ => {
                "compare the answer with the profile of 11VMS's API: after an unknown outcome, nothing could be sent again"
            }
        },
    }
}
