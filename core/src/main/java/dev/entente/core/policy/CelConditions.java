// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cel.checker.CelStandardDeclarations.StandardFunction;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelOptions;
import dev.cel.common.CelOverloadDecl;
import dev.cel.common.CelValidationException;
import dev.cel.common.CelValidationResult;
import dev.cel.common.ast.CelReference;
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
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Compiles CEL expressions with the variables that policies may use, bounded in length, nesting,
 * regex size and iterations. Besides the standard functions there is {@code day(time, zone)}: the
 * calendar day of an RFC 3339 time in a named zone.
 */
final class CelConditions {
  private static final int LENGTH_MAX = 4_000;
  private static final int DEPTH_MAX = 400;
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
    return compile(source, about, true);
  }

  /**
   * Compiles what earlier releases accepted, where members of {@code conflict} were not checked.
   */
  static Optional<Condition> compileUntyped(String source, About about) {
    try {
      return Optional.of(compile(source, about, false));
    } catch (PolicyProblem.Unacceptable e) {
      return Optional.empty();
    }
  }

  private static Condition compile(String source, About about, boolean typed)
      throws PolicyProblem.Unacceptable {
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
              .setTypeProvider(new CelTypes())
              .addVar(
                  "conflict",
                  typed ? CelTypes.CONFLICT : MapType.create(SimpleType.STRING, SimpleType.DYN))
              .addVar(
                  "severity",
                  typed ? CelTypes.SEVERITY : MapType.create(SimpleType.STRING, SimpleType.INT));
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
      throw new PolicyProblem.Unacceptable(explained(message, source, about));
    }
    checkRegexes(source);
    try {
      if (typed && CelTrees.isDeeperThan(checked.getAst().getExpr(), DEPTH_MAX)) {
        throw new PolicyProblem.Unacceptable(
            "the expression is nested more than " + DEPTH_MAX + " levels deep; write it in parts");
      }
      if (typed && about == About.CONFLICT) {
        CelTypes.checkValues(checked.getAst());
      }
      CelAbstractSyntaxTree tree = withAllOverloads(checked.getAst());
      return new CelProgram(source, tree, Functions.RUNTIME.createProgram(tree));
    } catch (CelValidationException | CelEvaluationException e) {
      throw new PolicyProblem.Unacceptable(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Lets each standard function choose among all its overloads by the values it gets. The checker
   * infers the type of {@code data.m['k']} from the first overload that would fit, and the runtime
   * would then refuse values of other types.
   */
  private static CelAbstractSyntaxTree withAllOverloads(CelAbstractSyntaxTree tree) {
    Map<Long, CelReference> references = new HashMap<>(tree.getReferenceMap());
    references.replaceAll((_, reference) -> Overloads.widened(reference));
    return CelAbstractSyntaxTree.newCheckedAst(
        tree.getExpr(), tree.getSource(), references, tree.getTypeMap());
  }

  /** The overloads of the standard functions, by the identifier of any of them. */
  private static final class Overloads {
    private static final Map<String, List<String>> SIBLINGS = new HashMap<>();

    static {
      for (StandardFunction function : StandardFunction.values()) {
        Set<CelOverloadDecl> all = function.functionDecl().overloads();
        for (CelOverloadDecl one : all) {
          SIBLINGS.put(
              one.overloadId(),
              all.stream()
                  .filter(other -> other.isInstanceFunction() == one.isInstanceFunction())
                  .filter(other -> other.parameterTypes().size() == one.parameterTypes().size())
                  .map(CelOverloadDecl::overloadId)
                  .toList());
        }
      }
    }

    static CelReference widened(CelReference reference) {
      List<String> siblings =
          reference.overloadIds().isEmpty()
              ? null
              : SIBLINGS.get(reference.overloadIds().getFirst());
      return siblings == null
          ? reference
          : CelReference.newBuilder().setName(reference.name()).addOverloadIds(siblings).build();
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

  private static String explained(String message, String source, About about) {
    Optional<String> member = CelTypes.unknownMember(message, source);
    if (member.isPresent()) {
      return member.get();
    }
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
            CelOverloadDecl.newGlobalOverload(
                "day_string_string", SimpleType.STRING, SimpleType.DYN, SimpleType.STRING));

    static final CelRuntime RUNTIME =
        CelRuntimeFactory.legacyCelRuntimeBuilder()
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
}
