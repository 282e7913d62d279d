//! Planting: every mutant of a file becomes a branch that is taken if its number is switched on.
//!
//! `a < b` with mutant 7 (`<=`) becomes `if crate::mutant::on(7) { a <= b } else { a < b }`, so
//! that one build holds all mutants and a run costs no compiler.

use crate::list::{Genre, Mutant};
use proc_macro2::{LineColumn, Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use std::str::FromStr;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, BinOp, Block, Expr, Member, ReturnType, Signature, parse_quote};

/// The module that the mutated crate gets.
pub(crate) const SWITCH: &str = "\
//! Which planted mutant is switched on.

use std::sync::OnceLock;

/// Whether mutant `number` is to live in this process.
pub fn on(number: u32) -> bool {
    static LIVING: OnceLock<Option<u32>> = OnceLock::new();
    let read = || std::env::var(\"PRESENTLY_MUTANT\").ok()?.parse().ok();
    *LIVING.get_or_init(read) == Some(number)
}
";

/// A file with its mutants planted.
pub(crate) struct Planted {
    pub(crate) text: String,
    /// The numbers of those that found their place.
    pub(crate) numbers: Vec<u32>,
    /// Those that no compiler takes: `||` beside a `let`.
    pub(crate) impossible: Vec<u32>,
}

/// Plants the mutants of one file.
pub(crate) fn plant(text: &str, mutants: &[&Mutant]) -> syn::Result<Planted> {
    let mut file = syn::parse_file(text)?;
    let mut planter =
        Planter { places: BTreeMap::new(), planted: Vec::new(), impossible: Vec::new() };
    for mutant in mutants {
        planter.places.entry(mutant.place()).or_default().push((*mutant).clone());
    }
    planter.visit_file_mut(&mut file);
    let Planter { planted: numbers, impossible, .. } = planter;
    Ok(Planted { text: file.into_token_stream().to_string(), numbers, impossible })
}

struct Planter {
    /// Line and column, both from 1, of what a mutant replaces.
    places: BTreeMap<(usize, usize), Vec<Mutant>>,
    planted: Vec<u32>,
    impossible: Vec<u32>,
}

impl Planter {
    /// The mutants of these genres that begin at `span`.
    fn take(&mut self, span: Span, genres: &[Genre]) -> Vec<Mutant> {
        let LineColumn { line, column } = span.start();
        let Some(here) = self.places.get_mut(&(line, column + 1)) else { return Vec::new() };
        here.extract_if(.., |mutant| genres.contains(&mutant.genre)).collect()
    }

    /// `original`, or what one of the mutants puts in its place.
    fn choose<T: ToTokens>(
        &mut self,
        mutants: Vec<Mutant>,
        original: T,
        instead: impl Fn(&Mutant) -> Option<TokenStream>,
    ) -> Expr {
        let mut whole = quote!({ #original });
        for mutant in mutants {
            let Some(other) = instead(&mutant) else { continue };
            let number = mutant.number;
            self.planted.push(number);
            whole = quote!({ if crate::mutant::on(#number) { #other } else #whole });
        }
        parse_quote!(#whole)
    }

    fn body(&mut self, signature: &Signature, block: &mut Block) {
        if signature.constness.is_some() {
            return;
        }
        let Some(first) = block.stmts.first() else { return };
        let mutants = self.take(first.span(), &[Genre::FnValue]);
        visit_mut::visit_block_mut(self, block);
        let instead = |mutant: &Mutant| TokenStream::from_str(&mutant.replacement).ok();
        if matches!(&signature.output, ReturnType::Type(_, kind) if is_iterator(kind)) {
            // One type for all of them, whatever the mutants iterate over.
            let original = quote!(Box::new(#block) as Box<dyn Iterator<Item = _>>);
            let boxed = |mutant: &Mutant| {
                let other = instead(mutant)?;
                Some(quote!(Box::new(#other) as Box<dyn Iterator<Item = _>>))
            };
            let whole = self.choose(mutants, original, boxed);
            *block = parse_quote!({ #whole });
            return;
        }
        for mutant in mutants {
            let Some(other) = instead(&mutant) else { continue };
            let number = mutant.number;
            self.planted.push(number);
            block.stmts.insert(0, parse_quote!(if crate::mutant::on(#number) { return #other; }));
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary, mutants: Vec<Mutant>) -> Expr {
        let (left, right) = (&binary.left, &binary.right);
        let instead = |mutant: &Mutant| {
            let operator: BinOp = syn::parse_str(&mutant.replacement).ok()?;
            Some(quote!(#left #operator #right))
        };
        let whole = self.choose(mutants, binary, instead);
        parse_quote!((#whole))
    }
}

fn is_iterator(kind: &syn::Type) -> bool {
    matches!(kind, syn::Type::ImplTrait(kind)
        if kind.bounds.to_token_stream().to_string().contains("Iterator"))
}

/// Whether a condition binds names, which no branch may stand around.
fn binds(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}

impl VisitMut for Planter {
    // Constants are worked out by the compiler, which asks nobody which mutant lives.
    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}

    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}

    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        self.body(&item.sig, &mut item.block);
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        self.body(&item.sig, &mut item.block);
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        let deleted = self.take(arm.span(), &[Genre::MatchArm]);
        let guard = arm.guard.as_ref().map(|(_, guard)| guard.span());
        let guards = guard.map(|span| self.take(span, &[Genre::MatchArmGuard])).unwrap_or_default();
        visit_mut::visit_arm_mut(self, arm);
        if let Some((_, guard)) = &mut arm.guard
            && !binds(guard)
        {
            let instead = |mutant: &Mutant| TokenStream::from_str(&mutant.replacement).ok();
            let original = guard.clone();
            **guard = self.choose(guards, original, instead);
        }
        for mutant in deleted {
            let number = mutant.number;
            self.planted.push(number);
            let kept: Expr = match &arm.guard {
                Some((_, guard)) => parse_quote!(!crate::mutant::on(#number) && (#guard)),
                None => parse_quote!(!crate::mutant::on(#number)),
            };
            arm.guard = Some((Default::default(), Box::new(kept)));
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let mutants = match expr {
            Expr::Binary(binary) if binds(&Expr::Binary(binary.clone())) => {
                let refused = self.take(binary.op.span(), &[Genre::BinaryOperator]);
                self.impossible.extend(refused.iter().map(|mutant| mutant.number));
                Vec::new()
            }
            Expr::Binary(binary) => self.take(binary.op.span(), &[Genre::BinaryOperator]),
            Expr::Unary(unary) => self.take(unary.op.span(), &[Genre::UnaryOperator]),
            _ => Vec::new(),
        };
        let fields = match expr {
            Expr::Struct(value) if value.rest.is_some() => {
                let spans: Vec<Span> = value.fields.iter().map(Spanned::span).collect();
                let taken = spans.into_iter().map(|span| self.take(span, &[Genre::StructField]));
                taken.collect()
            }
            _ => Vec::new(),
        };
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Binary(binary) if !mutants.is_empty() => {
                *expr = self.binary(&binary.clone(), mutants);
            }
            Expr::Unary(unary) if !mutants.is_empty() => {
                let operand = unary.expr.clone();
                let whole = self.choose(mutants, &*unary, |_| Some(quote!(#operand)));
                *expr = parse_quote!((#whole));
            }
            Expr::Struct(value) => {
                for (index, mutants) in fields.into_iter().enumerate() {
                    let mut shorter = value.clone();
                    let left = value.fields.iter().enumerate().filter(|(at, _)| *at != index);
                    shorter.fields = left.map(|(_, field)| field.clone()).collect();
                    debug_assert!(
                        value.fields.iter().all(|f| matches!(f.member, Member::Named(_)))
                    );
                    if !mutants.is_empty() {
                        let original = value.clone();
                        *expr = self.choose(mutants, original, |_| Some(quote!(#shorter)));
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}
