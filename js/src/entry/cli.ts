#!/usr/bin/env node
import process from "node:process";

import { main } from "../cli/main.js";

// Whoever reads the output may have enough: `flagpost types … | head`.
process.stdout.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
