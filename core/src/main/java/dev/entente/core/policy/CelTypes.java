// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import com.google.common.collect.ImmutableCollection;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.cel.common.types.CelType;
import dev.cel.common.types.CelTypeProvider;
import dev.cel.common.types.ListType;
import dev.cel.common.types.SimpleType;
import dev.cel.common.types.StructType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The types of what conditions see besides data: their members are known, and misspelt ones are
 * errors.
 */
final class CelTypes implements CelTypeProvider {
  private static final ImmutableMap<String, CelType> CONFLICT_MEMBERS =
      ImmutableMap.<String, CelType>builder()
          .put("type", SimpleType.STRING)
          .put("severity", SimpleType.INT)
          .put("complexity", SimpleType.DOUBLE)
          .put("row", SimpleType.STRING)
          .put("unit", SimpleType.STRING)
          .put("count", SimpleType.INT)
          .put("values", ListType.create(SimpleType.DYN))
          .put("authors", ListType.create(SimpleType.STRING))
          .put("nodes", ListType.create(SimpleType.STRING))
          .put("base", SimpleType.DYN)
          .buildOrThrow();

  private static final ImmutableMap<String, CelType> SEVERITY_MEMBERS =
      ImmutableMap.of(
          "LOW", SimpleType.INT,
          "MEDIUM", SimpleType.INT,
          "HIGH", SimpleType.INT,
          "CRITICAL", SimpleType.INT);

  static final StructType CONFLICT = struct("entente.Conflict", CONFLICT_MEMBERS);
  static final StructType SEVERITY = struct("entente.Severities", SEVERITY_MEMBERS);

  /** What {@code conflict.type} can be; a test holds it against the types that there are. */
  static final List<String> CONFLICT_TYPES =
      List.of(
          "concurrent-update",
          "causal-violation",
          "semantic",
          "invariant-violation",
          "resource-contention");

  /** What {@code conflict.row} can be. */
  static final List<String> ROWS =
      List.of(
          "insert-exists",
          "update-differing",
          "update-deleted",
          "delete-updated",
          "update-missing",
          "delete-missing",
          "several-unique",
          "target-missing");

  private static final Map<String, List<String>> VALUES =
      Map.of("type", CONFLICT_TYPES, "row", ROWS);
  private static final Set<String> COMPARISONS = Set.of("_==_", "_!=_", "@in");
  private static final Pattern UNDEFINED = Pattern.compile("undefined field '([^']*)'");

  /** What is wrong with the member that an error of the checker is about, if it is about one. */
  static Optional<String> unknownMember(String message, String source) {
    Matcher matcher = UNDEFINED.matcher(message);
    if (!matcher.find()) {
      return Optional.empty();
    }
    String member = matcher.group(1);
    boolean constant =
        Pattern.compile("\\bseverity\\s*\\.\\s*" + Pattern.quote(member)).matcher(source).find()
            && !Pattern.compile("\\bconflict\\s*\\.\\s*" + Pattern.quote(member))
                .matcher(source)
                .find();
    return Optional.of(
        (constant ? "severity" : "conflict")
            + " has no member "
            + member
            + Names.suggestion(
                member, (constant ? SEVERITY_MEMBERS : CONFLICT_MEMBERS).keySet().asList()));
  }

  /**
   * Refuses comparisons of a member with a constant that it never has.
   *
   * @throws PolicyProblem.Unacceptable with the nearest value that it can have
   */
  static void checkValues(CelAbstractSyntaxTree tree) throws PolicyProblem.Unacceptable {
    boolean nodes = CelTrees.all(tree.getExpr()).anyMatch(expr -> isMember(expr, "nodes"));
    for (CelExpr expr : CelTrees.all(tree.getExpr()).toList()) {
      if (nodes
          && isText(expr)
          && YamlValue.INCARNATION.matcher(expr.constant().stringValue()).matches()) {
        String typed = expr.constant().stringValue();
        throw new PolicyProblem.Unacceptable(
            "conflict.nodes holds the names of nodes; write "
                + typed.substring(0, typed.lastIndexOf('.'))
                + " instead of "
                + typed);
      }
      if (expr.exprKind().getKind() == Kind.CALL && COMPARISONS.contains(expr.call().function())) {
        checkValues(expr.call().args().getFirst(), expr.call().args().getLast());
        checkValues(expr.call().args().getLast(), expr.call().args().getFirst());
      }
    }
  }

  private static void checkValues(CelExpr member, CelExpr other) throws PolicyProblem.Unacceptable {
    Optional<String> name = VALUES.keySet().stream().filter(n -> isMember(member, n)).findFirst();
    if (name.isEmpty()) {
      return;
    }
    List<String> known = VALUES.getOrDefault(name.get(), List.of());
    List<CelExpr> constants =
        other.exprKind().getKind() == Kind.LIST ? other.list().elements() : List.of(other);
    for (CelExpr constant : constants) {
      if (isText(constant) && !known.contains(constant.constant().stringValue())) {
        String value = constant.constant().stringValue();
        throw new PolicyProblem.Unacceptable(
            value + " is no value of conflict." + name.get() + Names.suggestion(value, known));
      }
    }
  }

  private static boolean isMember(CelExpr expr, String name) {
    return expr.exprKind().getKind() == Kind.SELECT
        && expr.select().field().equals(name)
        && expr.select().operand().exprKind().getKind() == Kind.IDENT
        && expr.select().operand().ident().name().equals("conflict");
  }

  private static boolean isText(CelExpr expr) {
    return expr.exprKind().getKind() == Kind.CONSTANT
        && expr.constant().getKind() == CelConstant.Kind.STRING_VALUE;
  }

  private static StructType struct(String name, ImmutableMap<String, CelType> members) {
    return StructType.create(
        name, members.keySet(), member -> Optional.ofNullable(members.get(member)));
  }

  @Override
  public ImmutableCollection<CelType> types() {
    return ImmutableList.of(CONFLICT, SEVERITY);
  }

  @Override
  public Optional<CelType> findType(String name) {
    return types().stream().filter(type -> type.name().equals(name)).findFirst();
  }
}
