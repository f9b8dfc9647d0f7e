// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.CelValidationResult;
import dev.cel.common.types.CelType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelFunctionBinding;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.entente.core.json.Json;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Map;
import java.util.Optional;

/**
 * Compiles CEL expressions with the variables that policies may use, bounded in length, nesting,
 * regex size and iterations. Besides the standard functions there is {@code day(time, zone)}: the
 * calendar day of an RFC 3339 time in a named zone.
 */
final class CelConditions {
  private static final int LENGTH_MAX = 4_000;
  private static final int ITERATIONS_MAX = 5_000;

  /** In instructions of the linear-time matcher; {@code (.*a){20}} has more. */
  private static final int REGEX_SIZE_MAX = 80;

  private static final java.util.regex.Pattern REGEX_LITERAL =
      java.util.regex.Pattern.compile("matches\\(\\s*r?([\"'])(.*?)\\1\\s*\\)");

  private static final CelOptions OPTIONS =
      CelOptions.current()
          .enableHeterogeneousNumericComparisons(true)
          .comprehensionMaxIterations(ITERATIONS_MAX)
          .maxExpressionCodePointSize(LENGTH_MAX)
          .maxRegexProgramSize(REGEX_SIZE_MAX)
          .build();

  private CelConditions() {}

  /** What an expression is about, which decides its variables. */
  enum About {
    /** {@code conflict}, {@code severity}. */
    CONFLICT,
    /** {@code data}. */
    RECORD,
    /** {@code event}. */
    EVENT,
    /** {@code base}, {@code left}, {@code right}. */
    MERGE
  }

  static Condition compile(String source, About about) throws PolicyProblem.Unacceptable {
    CelType result =
        switch (about) {
          case CONFLICT, RECORD -> SimpleType.BOOL;
          case EVENT -> SimpleType.STRING;
          case MERGE -> SimpleType.DYN;
        };
    var builder =
        CelCompilerFactory.standardCelCompilerBuilder()
            .setOptions(OPTIONS)
            .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
            .addFunctionDeclarations(Functions.DAY)
            .setResultType(result);
    switch (about) {
      case CONFLICT ->
          builder
              .addVar("conflict", MapType.create(SimpleType.STRING, SimpleType.DYN))
              .addVar("severity", MapType.create(SimpleType.STRING, SimpleType.INT));
      case RECORD -> builder.addVar("data", MapType.create(SimpleType.STRING, SimpleType.DYN));
      case EVENT -> builder.addVar("event", MapType.create(SimpleType.STRING, SimpleType.DYN));
      case MERGE ->
          builder
              .addVar("base", SimpleType.DYN)
              .addVar("left", SimpleType.DYN)
              .addVar("right", SimpleType.DYN);
    }
    CelCompiler compiler = builder.build();
    CelValidationResult checked = compiler.compile(source);
    if (checked.hasError()) {
      String message = checked.getErrors().getFirst().getMessage();
      throw new PolicyProblem.Unacceptable(explained(message, about));
    }
    checkRegexes(source);
    try {
      CelRuntime.Program program = Functions.RUNTIME.createProgram(checked.getAst());
      return new Compiled(source, program);
    } catch (CelValidationException | CelEvaluationException e) {
      throw new PolicyProblem.Unacceptable(String.valueOf(e.getMessage()));
    }
  }

  /** Patterns that stand in the expression are refused here; computed ones when they are used. */
  private static void checkRegexes(String source) throws PolicyProblem.Unacceptable {
    java.util.regex.Matcher literals = REGEX_LITERAL.matcher(source);
    while (literals.find()) {
      try {
        if (Pattern.compile(literals.group(2)).programSize() > REGEX_SIZE_MAX) {
          throw new PolicyProblem.Unacceptable(
              "the pattern "
                  + literals.group(2)
                  + " is too costly; write it with fewer repetitions");
        }
      } catch (PatternSyntaxException e) {
        throw new PolicyProblem.Unacceptable("the pattern is not valid: " + e.getDescription());
      }
    }
  }

  private static String explained(String message, About about) {
    String line = message.lines().findFirst().orElse("not a CEL expression");
    String variables =
        switch (about) {
          case CONFLICT -> "conflict and severity";
          case RECORD -> "data";
          case EVENT -> "event";
          case MERGE -> "base, left and right";
        };
    return line.contains("undeclared reference")
        ? line + "; an expression sees " + variables + " only, never a clock, a node or chance"
        : "not a CEL expression for this place: " + line;
  }

  /** The runtime with our functions; made once, when the first expression is compiled. */
  private static final class Functions {
    static final dev.cel.common.CelFunctionDecl DAY =
        dev.cel.common.CelFunctionDecl.newFunctionDeclaration(
            "day",
            dev.cel.common.CelOverloadDecl.newGlobalOverload(
                "day_string_string", SimpleType.STRING, SimpleType.DYN, SimpleType.STRING));

    static final CelRuntime RUNTIME =
        CelRuntimeFactory.plannerRuntimeBuilder()
            .setOptions(OPTIONS)
            .addFunctionBindings(
                CelFunctionBinding.fromOverloads(
                    "day",
                    CelFunctionBinding.from(
                        "day_string_string", Object.class, String.class, Functions::day)))
            .build();

    private static Object day(Object time, String zone) throws CelEvaluationException {
      try {
        return Instant.parse(time.toString()).atZone(ZoneId.of(zone)).toLocalDate().toString();
      } catch (DateTimeException e) {
        throw new CelEvaluationException("day(): " + e.getMessage());
      }
    }
  }

  private record Compiled(String source, CelRuntime.Program program) implements Condition {
    @Override
    public boolean holds(Map<String, ?> variables) {
      return Boolean.TRUE.equals(evaluate(variables));
    }

    @Override
    public String text(Map<String, ?> variables) {
      return String.valueOf(evaluate(variables));
    }

    @Override
    public Json value(Map<String, ?> variables) {
      try {
        return CelValues.json(evaluate(variables));
      } catch (IllegalArgumentException e) {
        throw new ConditionException(String.valueOf(e.getMessage()));
      }
    }

    private Object evaluate(Map<String, ?> variables) {
      try {
        return program.eval(variables);
      } catch (CelEvaluationException e) {
        throw new ConditionException(
            Optional.ofNullable(e.getMessage()).orElse("the expression failed"));
      }
    }
  }
}
