// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class HelpTest {
  private static void walk(CommandLine command, List<String> path, List<List<String>> into) {
    into.add(path);
    command
        .getSubcommands()
        .forEach((name, sub) -> {
          List<String> longer = new ArrayList<>(path);
          longer.add(name);
          walk(sub, longer, into);
        });
  }

  @Test
  void everyCommandHasHelpAndItsExitCodeIsZero() {
    List<List<String>> commands = new ArrayList<>();
    walk(Main.commands(), List.of(), commands);
    assertThat(commands).hasSizeGreaterThan(50);
    for (List<String> path : commands) {
      List<String> args = new ArrayList<>(path);
      args.add("--help");
      StringWriter out = new StringWriter();
      int code =
          Main.commands().setOut(new PrintWriter(out, true)).execute(args.toArray(String[]::new));
      assertThat(code).as(args.toString()).isEqualTo(ExitCodes.OK);
      assertThat(out.toString()).as(args.toString()).contains("Usage: entente");
    }
  }
}
