// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.cel.common.Operator;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.entente.core.json.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
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

  /** The paths inside a variable that an expression reads; the root where it uses it whole. */
  static Set<Path> reads(CelExpr expr, String variable) {
    Optional<Path> path = path(expr, variable);
    return path.isPresent()
        ? Set.of(path.get())
        : children(expr)
            .flatMap(child -> reads(child, variable).stream())
            .collect(Collectors.toUnmodifiableSet());
  }

  private static Optional<Path> path(CelExpr expr, String variable) {
    return switch (expr.exprKind().getKind()) {
      case IDENT ->
          expr.ident().name().equals(variable) ? Optional.of(Path.ROOT) : Optional.empty();
      case SELECT ->
          path(expr.select().operand(), variable).map(path -> path.child(expr.select().field()));
      case CALL ->
          expr.call().function().equals(Operator.INDEX.getFunction())
              ? constantText(expr.call().args().getLast())
                  .flatMap(name ->
                      path(expr.call().args().getFirst(), variable).map(path -> path.child(name)))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<String> constantText(CelExpr expr) {
    return expr.exprKind().getKind() == Kind.CONSTANT
            && expr.constant().getKind() == CelConstant.Kind.STRING_VALUE
        ? Optional.of(expr.constant().stringValue())
        : Optional.empty();
  }

  /** Whether this is the hidden variable in which a macro collects its result. */
  static boolean isAccumulator(CelExpr expr) {
    return expr.exprKind().getKind() == Kind.IDENT
        && (expr.ident().name().startsWith("@") || expr.ident().name().startsWith("__"));
  }
}
