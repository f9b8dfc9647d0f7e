// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code entente} command. */
@Command(
    name = "entente",
    mixinStandardHelpOptions = true,
    version = "entente 0.1",
    description =
        "Keeps every write, settles every conflict by a rule someone chose, and can explain and undo each decision.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit codes: 0 done; 1 done, but something is left for a person; 2 bad input; 3 the node refused or cannot be reached.",
      "Client commands read ENTENTE_URL (http://127.0.0.1:7400), ENTENTE_TOKEN and ENTENTE_TENANT (main)."
    },
    subcommands = {ReplayCommand.class, CommandLine.HelpCommand.class})
public final class Main implements Runnable {
  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
