// SPDX-License-Identifier: Apache-2.0
package dev.entente.quality;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.policy.ClockTerms;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.ReviewTerms;
import dev.entente.core.resolve.strategy.Strategies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the documentation says is so. */
class DocsTest {
  private static final Path ROOT = Path.of(System.getProperty("entente.root", ".."));

  private static String read(String file) throws IOException {
    return Files.readString(ROOT.resolve(file));
  }

  @Test
  void everyStrategyAndItsTieBreakIsDocumentedAndInTheSchema() throws IOException {
    String policies = read("docs/policies.md");
    String schema = read("docs/policy.schema.json");
    Strategies.all()
        .forEach(strategy -> {
          String name = strategy.name();
          assertThat(policies).contains(strategy.tieBreak()).containsPattern("`" + name + "[`:]");
          assertThat(schema).containsPattern("\"\\^?" + name + "[\":]");
        });
  }

  @Test
  void theDocumentedDefaultsAreTheDefaults() throws IOException {
    assertThat(read("docs/policies.md"))
        .contains("`review: {sla: 2h, escalate-after: 4h, escalate-to: [], two-persons: []}`")
        .contains("`clock: {tolerance: 100ms, uncertain: mark}`")
        .contains("`deletes: manual-review`");
    assertThat(ReviewTerms.DEFAULT)
        .isEqualTo(new ReviewTerms(Duration.ofHours(2), Duration.ofHours(4), List.of(), List.of()));
    assertThat(ClockTerms.DEFAULT).isEqualTo(new ClockTerms(Duration.ofMillis(100), false));
    assertThat(Policy.undeclared("t").fallback().name()).isEqualTo("manual-review");
    assertThat(Policy.undeclared("t").manualThreshold()).isEqualTo(1);
  }

  @Test
  void everyShippedPolicyLoadsWithoutAWarning() throws Exception {
    try (var files = Files.walk(ROOT.resolve("policies"), 2)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
        assertThat(PolicyLoader.load(Files.readString(file)).warnings()).as("%s", file).isEmpty();
      }
    }
  }

  @Test
  void everyPackHasAChapterAndACaseForEachOfItsPolicies() throws IOException {
    String book = read("policies/README.md");
    String played = read("scenarios/src/main/resources/scenarios/index.yaml");
    try (var packs = Files.newDirectoryStream(ROOT.resolve("policies"), Files::isDirectory)) {
      for (Path pack : packs) {
        String name = pack.getFileName().toString();
        String chapter = Files.readString(pack.resolve("README.md"));
        assertThat(book).contains("](" + name + "/README.md)");
        StringBuilder cases = new StringBuilder();
        try (var files = Files.newDirectoryStream(pack.resolve("cases"), "*.yaml")) {
          for (Path file : files) {
            String label = file.getFileName().toString().replace(".yaml", "");
            assertThat(played).contains("- " + name + "/" + label + "\n");
            assertThat(chapter).contains("](cases/" + label + ".yaml)");
            cases.append(Files.readString(file));
          }
        }
        try (var files = Files.newDirectoryStream(pack, "*.yaml")) {
          for (Path file : files) {
            assertThat(chapter).contains("](" + file.getFileName() + ")");
            assertThat(cases).as("a case for %s", file).contains(file.getFileName().toString());
          }
        }
      }
    }
  }

  @Test
  void theLibraryPageShowsCodeThatATestRuns() throws IOException {
    String test = read("core/src/test/java/dev/entente/core/library/LibraryTest.java");
    Matcher blocks =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(read("docs/library.md"));
    int lines = 0;
    while (blocks.find()) {
      for (String line : blocks.group(1).lines().toList()) {
        String code = line.replaceAll(";? //.*", "").strip();
        assertThat(test).contains(code);
        lines++;
      }
    }
    assertThat(lines).isGreaterThan(20);
  }

  @Test
  void everyAlertSpeaksOfAMetricThatThereIs() throws IOException {
    String metrics = read("server/src/main/java/dev/entente/server/Metrics.java");
    // A gauge has no ending; a time or size in a base unit has its name.
    Matcher names =
        Pattern.compile("entente_([a-z_]+?)(_seconds)?(_total|_bucket|_sum|_count)?(?![a-z_])")
            .matcher(
                read("docs/alerts.yaml") + read("docs/grafana.json") + read("docs/watching.md"));
    int found = 0;
    while (names.find()) {
      assertThat(metrics).contains("\"entente." + names.group(1).replace('_', '.') + "\"");
      found++;
    }
    assertThat(found).isGreaterThan(30);
  }

  @Test
  void everyTestThatStandsForAPromiseIsThere() throws IOException {
    Matcher named =
        Pattern.compile("`([A-Z]\\w+Test)\\.(\\w+)`")
            .matcher(Files.readString(ROOT.resolve("docs/security.md")));
    Map<String, Path> tests = new HashMap<>();
    try (var files = Files.walk(ROOT)) {
      files
          .filter(file -> file.toString().endsWith("Test.java"))
          .forEach(file -> tests.put(file.getFileName().toString(), file));
    }
    int count = 0;
    while (named.find()) {
      Path file = tests.get(named.group(1) + ".java");
      assertThat(file).as(named.group()).isNotNull();
      assertThat(Files.readString(file)).containsPattern("\\b" + named.group(2) + "\\(");
      count++;
    }
    assertThat(count).isGreaterThan(40);
  }

  @Test
  void everyRelativeLinkLeadsSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");
    try (var files = Files.walk(ROOT)) {
      for (Path file :
          files
              .filter(f -> f.toString().endsWith(".md") && !f.toString().contains("/target/"))
              .toList()) {
        Matcher links = link.matcher(Files.readString(file));
        while (links.find()) {
          assertThat(file.resolveSibling(links.group(1))).as("a link in %s", file).exists();
        }
      }
    }
  }
}
