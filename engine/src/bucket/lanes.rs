//! Four words side by side: in WASM one vector of 128 bits, elsewhere an array that the compiler
//! makes vectors of.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes_wasm.rs"]
mod vector;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes_portable.rs"]
mod vector;

pub(super) use vector::Lanes;
