// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelExpr.CelCall;
import dev.cel.common.ast.CelExpr.ExprKind.Kind;
import dev.cel.parser.CelUnparserFactory;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelEvaluationListener;
import dev.cel.runtime.CelRuntime;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A compiled expression whose evaluation is charged by the size of what each step touches.
 *
 * <p>Every step costs one unit. A call that reads its arguments completely (a comparison, a search,
 * a conversion) costs what they hold as well, charged before the call; a concatenation costs what
 * it makes. Calls that look at one member or only decide (an index, {@code &&}, {@code ?:}) do not.
 * Which expressions are read completely is worked out once, from the syntax tree.
 */
final class CelProgram implements Condition {
  /** Calls whose cost does not depend on the size of their arguments. */
  private static final Set<String> CONSTANT_COST =
      Set.of(
          "_[_]",
          "_?_:_",
          "_&&_",
          "_||_",
          "!_",
          "-_",
          "_-_",
          "_*_",
          "_/_",
          "_%_",
          "dyn",
          "type",
          "@not_strictly_false");

  private static final Pattern FAILED_AT =
      Pattern.compile("(?s)evaluation error(?: at [^:]*:(\\d+))?: (.*)");
  private static final int MESSAGE_MAX = 300;

  /** How the value of an expression is charged beyond the step itself. */
  private enum Charge {
    /** All that the value holds. */
    CONTENT,
    /** The content of a text; the number of items of others is known without reading them. */
    TEXT,
    /** Each character is compared with each state of a pattern. */
    PATTERN,
    /** The text or list that a concatenation made. */
    LENGTH
  }

  private final String source;
  private final CelAbstractSyntaxTree tree;
  private final CelRuntime.Program program;
  private final Map<Long, Charge> charges = new HashMap<>();

  CelProgram(String source, CelAbstractSyntaxTree tree, CelRuntime.Program program) {
    this.source = source;
    this.tree = tree;
    this.program = program;
    plan(tree.getExpr());
  }

  private void plan(CelExpr expr) {
    if (expr.exprKind().getKind() == Kind.CALL) {
      plan(expr.call(), expr.id());
    }
    CelTrees.children(expr).forEach(this::plan);
  }

  private void plan(CelCall call, long id) {
    String function = call.function();
    if (CONSTANT_COST.contains(function)) {
      return;
    }
    if (function.equals("_+_")) {
      if (!CelTrees.isAccumulator(call.args().getFirst())) {
        charges.put(id, Charge.LENGTH);
      }
      return;
    }
    Charge charge =
        switch (function) {
          case "size" -> Charge.TEXT;
          case "matches" -> Charge.PATTERN;
          default -> Charge.CONTENT;
        };
    call.target().ifPresent(target -> charges.put(target.id(), charge));
    call.args().forEach(argument -> charges.put(argument.id(), charge));
  }

  private void charge(Work work, CelExpr expr, @Nullable Object value) {
    work.charge(1);
    Charge charge = charges.get(expr.id());
    if (charge == null) {
      return;
    }
    switch (charge) {
      case CONTENT -> work.chargeFor(value);
      case TEXT -> {
        if (value instanceof CharSequence) {
          work.chargeFor(value);
        }
      }
      case PATTERN -> {
        if (value instanceof CharSequence text) {
          work.charge(text.length());
        }
      }
      case LENGTH -> {
        if (value instanceof Collection<?> items) {
          work.charge(items.size() / Work.CHARACTERS_PER_UNIT);
        } else {
          work.chargeFor(value);
        }
      }
    }
  }

  @Override
  public String source() {
    return source;
  }

  @Override
  public Set<Path> reads() {
    return CelTrees.reads(tree.getExpr(), "data");
  }

  @Override
  public boolean holds(Map<String, ?> variables, Work work) {
    return evaluate(variables, work, Boolean.TRUE::equals);
  }

  @Override
  public String text(Map<String, ?> variables) {
    return evaluate(variables, Work.forOne(), CelValues::text);
  }

  @Override
  public Json value(Map<String, ?> variables) {
    Work work = Work.forOne();
    return evaluate(
        variables,
        work,
        value -> {
          work.chargeFor(value);
          return CelValues.json(value);
        });
  }

  private interface Result<T> {
    T of(Object value);
  }

  private <T> T evaluate(Map<String, ?> variables, Work work, Result<T> result) {
    CelEvaluationListener listener = (expr, value) -> charge(work, expr, value);
    work.begin();
    try {
      return result.of(program.trace(variables, listener));
    } catch (CelEvaluationException e) {
      throw new ConditionException(explained(e));
    } catch (IllegalArgumentException e) {
      throw new ConditionException(String.valueOf(e.getMessage()));
    } catch (Work.Exhausted e) {
      throw e.explained();
    } finally {
      work.end();
    }
  }

  /** The message of the library without its prefix, with the operand that failed. */
  private String explained(CelEvaluationException e) {
    String message = Optional.ofNullable(e.getMessage()).orElse("the expression failed");
    Matcher matcher = FAILED_AT.matcher(message);
    if (!matcher.matches()) {
      return shortened(message);
    }
    Optional<String> operand =
        Optional.ofNullable(matcher.group(1)).flatMap(at -> operandAt(Integer.parseInt(at)));
    return operand.map(text -> text + ": ").orElse("") + shortened(matcher.group(2));
  }

  private Optional<String> operandAt(int offset) {
    return CelTrees.all(tree.getExpr())
        .filter(expr -> offset == tree.getSource().getPositionsMap().getOrDefault(expr.id(), -1))
        .findFirst()
        .map(expr -> CelTrees.isAccumulator(expr) ? source : unparsed(expr));
  }

  private String unparsed(CelExpr expr) {
    try {
      return shortened(
          CelUnparserFactory.newUnparser()
              .unparse(CelAbstractSyntaxTree.newParsedAst(expr, tree.getSource())));
    } catch (RuntimeException e) {
      return source;
    }
  }

  private static String shortened(String text) {
    return text.length() <= MESSAGE_MAX ? text : text.substring(0, MESSAGE_MAX) + "…";
  }

  /** Expressions that were written alike, for the same place, are equal. */
  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof CelProgram other
        && source.equals(other.source)
        && tree.getResultType().equals(other.tree.getResultType());
  }

  @Override
  public int hashCode() {
    return source.hashCode();
  }

  @Override
  public String toString() {
    return source;
  }
}
