//! Link settings of the addon.

fn main() {
    // Without this line every change beside the Rust sources would run the script again.
    println!("cargo:rerun-if-changed=build.rs");
    napi_build::setup();
}
