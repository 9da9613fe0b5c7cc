// The scripts of the console.
