// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The merge command as git's merge driver, with real git. */
class GitMergeDriverTest {
  @TempDir Path repo;

  private int run(String... command) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(command));
    ProcessBuilder builder =
        new ProcessBuilder(all).directory(repo.toFile()).redirectErrorStream(true);
    builder.environment().put("GIT_CONFIG_GLOBAL", "/dev/null");
    Process process = builder.redirectOutput(repo.resolve("output.log").toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private void write(String json) throws IOException {
    Files.writeString(repo.resolve("doc.json"), json);
  }

  private void branches(String base, String left, String right) throws Exception {
    try {
      assumeTrue(run("git", "--version") == 0);
    } catch (IOException e) {
      assumeTrue(false, "git is not installed here");
    }
    String entente = "'" + String.join("' '", Jvm.entente("-XX:TieredStopAtLevel=1")) + "'";
    String driver = entente + " merge %O %A %B -o %A";
    run("git", "init", "-q", "-b", "main");
    run("git", "config", "user.name", "t");
    run("git", "config", "user.email", "t@example.com");
    run("git", "config", "merge.entente.driver", driver);
    Files.writeString(repo.resolve(".gitattributes"), "*.json merge=entente\n");
    Files.writeString(repo.resolve(".gitignore"), "output.log\n");
    write(base);
    run("git", "add", ".");
    run("git", "commit", "-qm", "base");
    run("git", "checkout", "-qb", "other");
    write(right);
    run("git", "commit", "-qam", "right");
    run("git", "checkout", "-q", "main");
    write(left);
    run("git", "commit", "-qam", "left");
  }

  @Test
  void adjacentChangesThatGitWouldCallAConflictMergeInTheLayoutOfTheFile() throws Exception {
    branches(
        "{\n    \"version\": \"1.0.0\",\n    \"z\": 1.0,\n    \"tags\": [\"a\"]\n}\n",
        "{\n    \"version\": \"1.1.0\",\n    \"z\": 1.0,\n    \"tags\": [\"a\", \"b\"]\n}\n",
        "{\n    \"version\": \"1.0.1\",\n    \"z\": 1.0,\n    \"new\": true,\n    \"tags\": [\"a\", \"c\"]\n}\n");
    assertThat(run("git", "merge", "-q", "other", "-m", "merged")).isZero();
    assertThat(repo.resolve("doc.json"))
        .hasContent(
            "{\n    \"version\": \"1.1.0\",\n    \"z\": 1.0,\n    \"new\": true,\n    \"tags\": [\n        \"a\",\n        \"b\",\n        \"c\"\n    ]\n}\n");
  }

  @Test
  void whatClashesIsLeftToAPersonAndGitKnows() throws Exception {
    branches("{\"name\":\"a\",\"x\":1}", "{\"name\":\"b\",\"x\":1}", "{\"name\":\"c\",\"x\":2}");
    assertThat(run("git", "merge", "-q", "other", "-m", "merged")).isEqualTo(1);
    assertThat(Files.readString(repo.resolve("output.log")))
        .contains("needs review: name")
        .contains("\"b\" by left")
        .contains("\"c\" by right");
    assertThat(Files.readString(repo.resolve("doc.json"))).isEqualTo("{\"name\":\"b\",\"x\":2}");
  }
}
