//! What `dev` prints when the sample was answered: addresses, and commands that can be pasted as they are.

use std::net::SocketAddr;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::process::print;
use crate::sandbox::issuer::{CALLER, Issuer, LIFETIMES, SCOPES};
use crate::sandbox::vms::{Fault, SandboxVms};

/// Another cart that the default mapping accepts, for the user's first own call.
const SECOND_SAMPLE: &str = include_str!("../../../mapping/examples/service-in-hours.cart.json");

/// Prints all steps.
pub fn print_all(address: SocketAddr, issuer: &Issuer, vms: &SandboxVms, folder: &Path) -> Result<(), Failure> {
    let cart = folder.join("cart.json");
    std::fs::write(&cart, SECOND_SAMPLE).map_err(|error| Failure::new(format!("{}: {error}", cart.display())))?;
    print(&format!(
        "{}\n{}\n{}Stop: Ctrl-C\n",
        pages(address),
        calls(address, issuer, &cart.display().to_string()),
        faults(vms)
    ))
}

fn pages(address: SocketAddr) -> String {
    format!(
        "\nIn the browser:\n\n\
         http://{address}/          what the interface is\n\
         http://{address}/docs      reference; gets a token, sends a cart\n\
         http://{address}/mapping   the sheet in use\n\
         http://{address}/preview   a cart of yours, and the order that it would become\n"
    )
}

fn calls(address: SocketAddr, issuer: &Issuer, cart: &str) -> String {
    let ((client, secret), token_url, token) = (CALLER, issuer.token_url(), issuer.token());
    let (first, last) = (LIFETIMES.start(), LIFETIMES.end());
    format!(
        "Get a token, with some of the scopes {SCOPES}\nand a lifetime from {first} to {last} seconds (below 0 it has expired):\n\n\
         curl {token_url} -u {client}:{secret} -d grant_type=client_credentials -d 'scope=purchase-orders.write purchase-orders.read' -d expires_in=600\n\n\
         Send a cart yourself; sent twice, it is still one order:\n\n\
         curl -i http://{address}/v2/purchase-orders -H 'Content-Type: application/json' -H 'Authorization: Bearer {token}' --data-binary @{cart}\n"
    )
}

fn faults(vms: &SandboxVms) -> String {
    let url = vms.url();
    format!(
        "Let 11VMS fail at its next request, after a delay or at once; a list of faults is for as many requests:\n\n\
         curl {url}sandbox/faults -d '[{{\"delayMs\":200,\"effect\":\"hang-up-after\"}}]'\n\n\
         Every effect, which this address has too:\n\n{}\n",
        Fault::help()
    )
}
