/** `llm-jobs completion`: scripts that let a shell complete the commands and their options. */
import { Argument, Command } from 'commander';
import type { Io } from './io.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(io: Io, program: Command): Command {
  return new Command('completion')
    .description('Print a script that lets a shell complete the commands and their options.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) => {
      for (const line of SCRIPTS[shell](program)) io.out(line);
    });
}

const SCRIPTS: Readonly<Record<Shell, (program: Command) => string[]>> = { bash, zsh, fish };

interface Level {
  /** The names from the program on. */
  readonly path: readonly string[];
  readonly command: Command;
}

function levelsOf(command: Command, path: readonly string[] = [command.name()]): Level[] {
  return [{ path, command }, ...command.commands.flatMap((each) => levelsOf(each, [...path, each.name()]))];
}

/** Other words are completed as files. */
function bash(program: Command): string[] {
  const levels = levelsOf(program);
  const known = levels.slice(1).map(({ path }) => quoted(path.join(' ')));
  const name = `_${program.name().replaceAll('-', '_')}`;
  return [
    `${name}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" word i',
    `  local path=${quoted(program.name())}`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    `    case "$path $word" in ${known.join('|')}) path="$path $word" ;; esac`,
    '  done',
    '  COMPREPLY=()',
    '  case "$path $previous" in',
    ...levels.flatMap(({ path, command }) =>
      choicesOf(command).map(([option, choices]) => answer([...path, option], choices, true)),
    ),
    '  esac',
    '  case "$path" in',
    ...levels.map(({ path, command }) => answer(path, wordsOf(command), false)),
    '  esac',
    '}',
    `complete -o default -F ${name} ${program.name()}`,
  ];
}

/** Zsh runs the functions of bash. */
function zsh(program: Command): string[] {
  return ['autoload -Uz compinit && compinit -i', 'autoload -Uz bashcompinit && bashcompinit', ...bash(program)];
}

function answer(path: readonly string[], words: readonly string[], isAll: boolean): string {
  const reply = `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current"))`;
  return `    ${quoted(path.join(' '))}) ${reply}${isAll ? '; return' : ''} ;;`;
}

function fish(program: Command): string[] {
  return levelsOf(program).flatMap(({ path, command }) => {
    const seen = path.slice(1).map((word) => `__fish_seen_subcommand_from ${word}`);
    const nested = command.commands.map((each) => each.name()).join(' ');
    const here = [...seen, ...(nested === '' ? [] : [`not __fish_seen_subcommand_from ${nested}`])];
    const start = `complete -c ${program.name()}${here.length > 0 ? ` -n ${quoted(here.join('; and '))}` : ''}`;
    const options = command.options.map(({ long, required, description, argChoices }) => {
      const value = argChoices ? ` -x -a ${quoted(argChoices.join(' '))}` : required ? ' -r' : '';
      return `${start} -l ${(long ?? '').slice(2)}${value} -d ${quoted(description)}`;
    });
    const commands = command.commands.map((each) => `${start} -f -a ${each.name()} -d ${quoted(each.description())}`);
    return [...commands, ...options];
  });
}

function wordsOf(command: Command): string[] {
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const options = command.options.flatMap(({ long }) => long ?? []);
  return [...command.commands.map((each) => each.name()), ...choices, ...options, '--help'];
}

function choicesOf({ options }: Command): [option: string, choices: readonly string[]][] {
  return options.flatMap(({ long, argChoices }): [string, string[]][] =>
    long && argChoices ? [[long, argChoices]] : [],
  );
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
