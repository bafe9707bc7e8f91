//! `purchase-order-webhook`: see the library's documentation, and README.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    purchase_order_webhook::cli::run()
}
