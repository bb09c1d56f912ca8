// SPDX-License-Identifier: GPL-2.0

//! Makes the BPF program and what knows its types, the man page, and what completes commands.

#[path = "src/cli.rs"]
mod cli;

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use libbpf_cargo::SkeletonBuilder;

const BPF: &str = "src/bpf/slabstat.bpf.c";

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);

    println!("cargo::rerun-if-changed=src/bpf");
    println!("cargo::rerun-if-env-changed=CLANG");
    SkeletonBuilder::new()
        .source(BPF)
        .clang(env::var_os("CLANG").unwrap_or("clang".into()))
        .clang_args(["-Wall", "-Werror"])
        .build_and_generate(out.join("slabstat.skel.rs"))?;

    let command = cli::Cli::command().name("slabstat");
    for shell in clap_complete::Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command.clone(), "slabstat", &out)?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .section("8")
        .render(&mut page)?;
    fs::write(out.join("slabstat.8"), page)?;
    Ok(())
}
