// SPDX-License-Identifier: Apache-2.0
/** The {@code entente} command. */
@NullMarked
package dev.entente.cli;

import org.jspecify.annotations.NullMarked;
