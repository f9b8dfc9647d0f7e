// SPDX-License-Identifier: Apache-2.0
/**
 * Safety nets: checkpoints, bringing back what was, and long work with an end that can be trusted.
 */
@NullMarked
package dev.entente.server.recovery;

import org.jspecify.annotations.NullMarked;
