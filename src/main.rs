//! `purchase-order-webhook`: see the library's documentation, and README.md.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

// A burst fragments the memory of the system's allocator: thousands of waiting callers need a quarter less with this one.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    purchase_order_webhook::cli::run()
}
