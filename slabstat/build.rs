// SPDX-License-Identifier: GPL-2.0

//! Makes the BPF program and what knows its types, the man page, and what completes commands.

#[path = "src/cli.rs"]
mod cli;
#[path = "src/pattern.rs"]
#[allow(dead_code)]
mod pattern;

use std::{env, fs, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use libbpf_cargo::SkeletonBuilder;

const BPF: &str = "src/bpf/slabstat.bpf.c";

fn man_page(command: clap::Command) -> Result<Vec<u8>> {
    let man = clap_mangen::Man::new(command).section("8");
    let mut page = Vec::new();

    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for (title, text) in cli::SECTIONS {
        // Line by line, and without what man takes for a command.
        let text = text.replace('\\', "\\e").replace('-', "\\-");
        writeln!(page, ".SH {}\n.nf\n{text}\n.fi", title.to_uppercase())?;
    }
    Ok(page)
}

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);

    let mut clang_args = vec!["-Wall", "-Werror"];
    if env::var("CARGO_CFG_TARGET_ENDIAN").is_ok_and(|endian| endian == "big") {
        // libbpf-cargo says "-target bpf", which is the order of bytes of this machine.
        clang_args.extend(["-Xclang", "-triple", "-Xclang", "bpfeb"]);
    }

    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-env-changed=CLANG");
    SkeletonBuilder::new()
        .source(BPF)
        .clang(env::var_os("CLANG").unwrap_or("clang".into()))
        .clang_args(clang_args)
        .build_and_generate(out.join("slabstat.skel.rs"))?;

    let command = cli::Cli::command().name("slabstat");
    for shell in clap_complete::Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command.clone(), "slabstat", &out)?;
    }
    fs::write(out.join("slabstat.8"), man_page(command)?)?;
    Ok(())
}
