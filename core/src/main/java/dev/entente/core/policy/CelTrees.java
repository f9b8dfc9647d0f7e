// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import java.util.List;
import java.util.stream.Stream;

/** Walks the syntax trees of expressions. */
final class CelTrees {
  private CelTrees() {}

  /** An expression and all below it, parents first. */
  static Stream<CelExpr> all(CelExpr expr) {
    return Stream.concat(Stream.of(expr), children(expr).flatMap(CelTrees::all));
  }

  /** The expressions directly below one, in the order of the source. */
  static Stream<CelExpr> children(CelExpr expr) {
    return switch (expr.exprKind().getKind()) {
      case SELECT -> Stream.of(expr.select().operand());
      case CALL -> Stream.concat(expr.call().target().stream(), expr.call().args().stream());
      case LIST -> expr.list().elements().stream();
      case STRUCT -> expr.struct().entries().stream().map(CelExpr.CelStruct.Entry::value);
      case MAP ->
          expr.map().entries().stream().flatMap(entry -> Stream.of(entry.key(), entry.value()));
      case COMPREHENSION ->
          List.of(
              expr.comprehension().iterRange(),
              expr.comprehension().accuInit(),
              expr.comprehension().loopCondition(),
              expr.comprehension().loopStep(),
              expr.comprehension().result())
              .stream();
      case NOT_SET, CONSTANT, IDENT -> Stream.empty();
    };
  }

  static boolean isDeeperThan(CelExpr expr, int levels) {
    return levels == 0 || children(expr).anyMatch(child -> isDeeperThan(child, levels - 1));
  }

  /** Whether this is the hidden variable in which a macro collects its result. */
  static boolean isAccumulator(CelExpr expr) {
    return expr.exprKind().getKind() == Kind.IDENT
        && (expr.ident().name().startsWith("@") || expr.ident().name().startsWith("__"));
  }
}
