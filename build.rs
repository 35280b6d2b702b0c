//! Link settings of the addon.

fn main() {
    // Without this line every change beside the Rust sources would run the script again.
    println!("cargo:rerun-if-changed=build.rs");
    napi_build::setup();
    // Node unloads an addon when the last worker thread that loaded it ends, while our own threads may still be
    // running its code. An ELF object marked `nodelete` stays mapped until the process ends.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
